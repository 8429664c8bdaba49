package imports_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/internal/fuzzseed"
	"gazpacho/scaling/imports"
)

// FuzzQuestion: whatever a process sends is either a question, with a Router and one producer or data producer, or an error.
func FuzzQuestion(tf *testing.F) {
	f := fuzzseed.New(tf, 500)
	f.Add([]byte(question))
	f.Add([]byte(question + question))
	f.Add([]byte(dataQuestion))
	f.Add([]byte(`{"import":{"routerId":1,"producerId":"p"}}` + "\n"))
	f.Add([]byte(`{"import":{}}` + "\n"))
	f.Add([]byte("[[[[\n"))
	f.Add([]byte{0xff, '\n'})
	f.Fuzz(func(t *testing.T, b []byte) {
		routerID, producerID, dataProducerID, err := imports.Ask(b)
		if err == nil {
			require.NotEmpty(t, routerID)
			require.NotEqual(t, producerID == "", dataProducerID == "")
		}
	})
}
