package imports

import "bytes"

// Ask reads what a process asks for that sends these bytes.
func Ask(b []byte) (routerID, producerID string, err error) { return ask(bytes.NewReader(b)) }
