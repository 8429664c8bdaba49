package fbs

// extensionsRule: the kinds of header extensions have other numbers in nearly every dialect, which matching by name takes
// care of. Up to 3.19.4, the audio level had a shorter name. Frame marking exists up to 3.16.0; engine/api has it so that
// it can be accepted and dumped.
var extensionsRule = CompatRule{
	Name: "header extensions", Until: "3.19.4",
	Text:    "SsrcAudioLevel was AudioLevel; up to 3.16.0 there was frame marking",
	members: map[string]string{"FBS.RtpParameters.RtpHeaderExtensionUri.SsrcAudioLevel": "AudioLevel"},
}
