// Package ice is the ICE lite agent (RFC 8445 section 2.5) of one WebRTC transport: a state machine that answers the
// connectivity checks of one full agent, the browser, and sends none itself.
//
// Its input is STUN messages (HandleSTUN), lost connections (RemoveTuple) and time (HandleTimeout at NextTimeout). A Server
// returns the response to send and collects everything else in its Output, which the caller drains after each call. It
// decides which tuples may be used, which of them media is sent to (the selected tuple) and, from the peer's continuing
// checks, whether the peer still wants to receive (consent, RFC 7675).
//
// The behaviour follows mediasoup 3.27.1: the states, the choice of the selected tuple, the limit of tuples, and which
// requests are refused with which code.
package ice
