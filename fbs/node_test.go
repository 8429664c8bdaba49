package fbs_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/fbs"
)

// nodePackage is where fbs/gen/npm.sh puts the npm package.
const nodePackage = "../build/npm/node_modules/mediasoup"

// TestNodeUnderstandsEveryMessage passes messages through the classes that mediasoup's Node library uses: it must read
// the same values under the same names, and we must read what it writes.
func TestNodeUnderstandsEveryMessage(t *testing.T) {
	d := load(t)
	e := d.NewEncoder()
	var messages []api.MessageBody
	var frames []byte
	for seed := range uint64(5) {
		for _, body := range everyMessage(100 + seed) {
			var err error
			frames, err = e.AppendMessage(frames, body)
			require.NoError(t, err)
			messages = append(messages, body)
		}
	}
	answers := runNode(t, frames)
	require.Len(t, answers, len(messages))
	for i, answer := range answers {
		want := plain(reflect.ValueOf(&api.Message{Data: messages[i]}))
		require.Equal(t, want, lowerKeys(answer.Message), "%T", messages[i])
		frame, err := base64.StdEncoding.DecodeString(answer.Frame)
		require.NoError(t, err)
		got, err := d.DecodeMessage(frame[4:])
		require.NoError(t, err)
		require.Equal(t, messages[i], got)
	}
}

// TestNodeSeesEmptyAndAbsent looks at optional strings and vectors without content as the Node library sees them.
func TestNodeSeesEmptyAndAbsent(t *testing.T) {
	stream := api.RTPStreamDump{Params: &api.RTPStreamParams{}, RTXStream: &api.RTXStreamDump{Params: &api.RTXStreamParams{}}}
	frame, err := load(t).NewEncoder().AppendMessage(nil, &api.Response{Body: &api.ProducerDumpResponse{
		RTPParameters: &api.RTPParameters{RTCP: &api.RTCPParameters{}, Codecs: []api.RTPCodecParameters{{}}},
		RTPMapping:    &api.RTPMapping{Encodings: []api.EncodingMapping{{}}},
		RTPStreams:    []api.RTPStreamDump{stream},
	}})
	require.NoError(t, err)
	message := lowerKeys(runNode(t, frame)[0].Message)
	for path, want := range map[string]any{
		"data error":                                    nil,
		"data body id":                                  "",
		"data body rtpparameters mid":                   nil,
		"data body rtpparameters msid":                  nil,
		"data body rtpparameters encodings":             []any{},
		"data body rtpparameters rtcp cname":            nil,
		"data body rtpmapping encodings":                []any{map[string]any{"rid": "", "ssrc": nil, "mappedssrc": 0.0}},
		"data body rtpstreams 0 params rid":             "",
		"data body rtpstreams 0 params cname":           "",
		"data body rtpstreams 0 rtxstream params rrid":  "",
		"data body rtpstreams 0 params rtxpayloadtype":  nil,
		"data body rtpparameters codecs 0 rtcpfeedback": []any{},
	} {
		require.Equal(t, want, at(message, strings.Fields(path)), path)
	}
}

// at follows field names, and indices, into a message.
func at(v any, path []string) any {
	for _, step := range path {
		if list, ok := v.([]any); ok {
			i, _ := strconv.Atoi(step)
			v = list[i]
			continue
		}
		v = v.(map[string]any)[step]
	}
	return v
}

// answer is one line of roundtrip.js.
type answer struct {
	Message any
	Frame   string
}

func runNode(t *testing.T, frames []byte) []answer {
	t.Helper()
	if _, err := os.Stat(nodePackage); err != nil {
		require.FailNow(t, "the mediasoup npm package is not in build/npm: run fbs/gen/npm.sh")
	}
	cmd := exec.Command("node", "jstest/roundtrip.js", nodePackage)
	cmd.Stdin = bytes.NewReader(frames)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	var answers []answer
	dec := json.NewDecoder(bytes.NewReader(out))
	dec.UseNumber()
	for dec.More() {
		var a answer
		require.NoError(t, dec.Decode(&a))
		answers = append(answers, a)
	}
	return answers
}

// lowerKeys returns what JSON decoding gave, with field names in lower case, numbers as float64, and 64-bit numbers,
// which arrive as strings, as strings.
func lowerKeys(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := map[string]any{}
		for key, value := range v {
			m[strings.ToLower(key)] = lowerKeys(value)
		}
		return m
	case []any:
		for i := range v {
			v[i] = lowerKeys(v[i])
		}
		return v
	case json.Number:
		f, _ := v.Float64() // JavaScript wrote it from one
		return f
	}
	return v
}

// plain returns a Go value in the shape of lowerKeys: a union has its member's number beside its value.
func plain(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return plain(v.Elem())
	case reflect.Struct:
		m := map[string]any{}
		for i := range v.NumField() {
			if fbs.Retired[v.Type().String()+"."+v.Type().Field(i).Name] {
				continue
			}
			name, field := strings.ToLower(v.Type().Field(i).Name), v.Field(i)
			if field.Kind() == reflect.Interface {
				m[name+"type"] = float64(tag(field))
				field = field.Elem()
			}
			m[name] = nil
			if field.IsValid() {
				m[name] = plain(field)
			}
		}
		return m
	case reflect.Slice:
		list := make([]any, 0, v.Len())
		for i := range v.Len() {
			list = append(list, plain(v.Index(i)))
		}
		return list
	case reflect.String:
		if v.Len() == 0 {
			return nil
		}
		return v.String()
	case reflect.Bool:
		return v.Bool()
	case reflect.Int64, reflect.Uint64:
		return fmt.Sprint(v)
	case reflect.Float32, reflect.Float64:
		return v.Float()
	}
	if v.CanInt() {
		return float64(v.Int())
	}
	return float64(v.Uint())
}

// tag returns the number of a union's member: its place in the schema, counted from 1.
func tag(v reflect.Value) int {
	if v.IsNil() {
		return 0
	}
	members := unionMembers[v.Type()]
	if v.Type() == reflect.TypeFor[api.MessageBody]() {
		members = api.UnionMessageBody
	}
	for i, m := range members {
		if reflect.TypeOf(m.Type) == v.Elem().Type() {
			return i + 1
		}
	}
	return -1
}
