// Package ice is the ICE lite agent (RFC 8445 section 2.5) of one WebRTC transport: a machine that answers the connectivity
// checks of one full agent, the browser, and sends none of its own.
//
// A Server is fed with STUN messages (HandleSTUN), with the loss of connections (RemoveTuple) and with time (HandleTimeout when
// NextTimeout has come). It returns the answer to send and collects everything else in its Output, which the caller drains
// after each call. It decides which tuples may be used at all, which of them media is sent to (the selected tuple), and, by
// the peer's checks going on, whether the peer still wants to receive (consent, RFC 7675).
//
// The behaviour follows mediasoup 3.27.1: its states, its choice of the selected tuple, its limit of tuples, the requests that
// it refuses and with which code.
package ice
