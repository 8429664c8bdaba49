package enginetest

import "gazpacho/engine/wire/stun"

// ConnectivityCheck returns the check of an ICE agent in control, as a browser sends it to a transport with the given
// credentials.
func ConnectivityCheck(usernameFragment, password string, nominate bool) []byte {
	w := stun.Build(nil, stun.Request, stun.Binding, stun.TransactionID([]byte("transaction!")))
	w.String(stun.Username, usernameFragment+":browser")
	w.Uint32(stun.Priority, 1853693695)
	w.Uint64(stun.ICEControlling, 1)
	if nominate {
		w.Flag(stun.UseCandidate)
	}
	w.Integrity(stun.NewKey(password))
	w.Fingerprint()
	return w.Message()
}
