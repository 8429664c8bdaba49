package look_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/look"
	"gazpacho/internal/fuzzseed"
)

func TestQuestions(t *testing.T) {
	for _, q := range []look.Question{
		{About: look.AboutAll},
		{About: look.AboutRooms, RoomID: room},
		{About: look.AboutRoom, RoomID: room, After: "t"},
		{About: look.AboutTransport, RoomID: room, Transport: `a "t" <b>`},
	} {
		b, err := q.Append()
		require.NoError(t, err)
		got, err := look.ParseQuestion(b)
		require.NoError(t, err)
		require.Equal(t, q, got)
	}
	q := look.Question{About: look.AboutTransport, RoomID: room, Transport: strings.Repeat("x", look.MaxQuestion)}
	_, err := q.Append()
	require.ErrorContains(t, err, "too long")
}

func TestWrongQuestions(t *testing.T) {
	for question, want := range map[string]string{
		"":                                   "cannot be read",
		"status":                             "cannot be read",
		`{"about":1}`:                        "cannot be read",
		`{"about":"all","more":1}`:           "unknown field",
		`{"about":"all"} {}`:                 "more than a question",
		`{}`:                                 `a question about ""`,
		`{"about":"secrets"}`:                `a question about "secrets"`,
		`{"about":"room"}`:                   "does not name it",
		`{"about":"transport","router":"r"}`: "transport that does not name it",
		`{"about":"` + strings.Repeat("x", look.MaxQuestion) + `"}`: "the limit is",
	} {
		_, err := look.ParseQuestion([]byte(question))
		require.ErrorContains(t, err, want, question)
	}
}

func FuzzParseQuestion(tf *testing.F) {
	f := fuzzseed.New(tf, 2000)
	f.Add([]byte(`{"about":"all"}`))
	f.Add([]byte(`{"about":"transport","application":"a","tenant":"t","router":"r","transport":"x","after":"y"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := look.ParseQuestion(b)
		if err != nil {
			return
		}
		again, err := q.Append()
		if err != nil {
			return // characters that JSON writes longer
		}
		same, err := look.ParseQuestion(again)
		require.NoError(t, err)
		require.Equal(t, q, same)
	})
}
