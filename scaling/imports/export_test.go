package imports

import "bytes"

// Ask reads what a process asks for that sends these bytes. One of the ids of producers is empty.
func Ask(b []byte) (routerID, producerID, dataProducerID string, err error) {
	want, err := ask(bytes.NewReader(b))
	if err != nil {
		return "", "", "", err
	}
	return want.RouterID, want.ProducerID, want.DataProducerID, nil
}
