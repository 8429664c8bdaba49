package fbs

// consentRule: up to 3.13.19, a WebRTC transport does not watch for the consent of its peer (RFC 7675), and applications
// do not expect an ICE state that says so. The zero value of engine/api means just that.
var consentRule = CompatRule{
	Name: "ICE consent", Until: "3.13.19",
	Text: "no iceConsentTimeout: a peer that falls silent is not noticed",
}
