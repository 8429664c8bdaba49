package media

import (
	"strings"

	"gazpacho/engine/api"
)

// codecClass is what a codec is for.
type codecClass uint8

const (
	mediaCodec         codecClass = iota // carries audio or video
	complementaryCodec                   // comfort noise, DTMF
	featureCodec                         // retransmission, forward error correction, redundancy
)

// codecName is mediasoup's spelling of a MIME subtype, and its class.
type codecName struct {
	name  string
	class codecClass
}

// The subtypes that mediasoup's worker accepts, by their lower-case names. H264-SVC and H265 are of its releases up to
// 3.16.0, whose Node library lets applications use them.
var codecNames = map[string]codecName{
	"opus":            {"opus", mediaCodec},
	"multiopus":       {"multiopus", mediaCodec},
	"pcma":            {"PCMA", mediaCodec},
	"pcmu":            {"PCMU", mediaCodec},
	"isac":            {"ISAC", mediaCodec},
	"g722":            {"G722", mediaCodec},
	"ilbc":            {"iLBC", mediaCodec},
	"silk":            {"SILK", mediaCodec},
	"vp8":             {"VP8", mediaCodec},
	"vp9":             {"VP9", mediaCodec},
	"h264":            {"H264", mediaCodec},
	"h264-svc":        {"H264-SVC", mediaCodec},
	"h265":            {"H265", mediaCodec},
	"av1":             {"AV1", mediaCodec},
	"cn":              {"CN", complementaryCodec},
	"telephone-event": {"telephone-event", complementaryCodec},
	"rtx":             {rtxName, featureCodec},
	"ulpfec":          {ulpfecName, featureCodec},
	"flexfec":         {flexfecName, featureCodec},
	"x-ulpfecuc":      {"x-ulpfecuc", featureCodec},
	"red":             {"red", featureCodec},
}

const (
	rtxName     = "rtx"
	ulpfecName  = "ulpfec"
	flexfecName = "flexfec"
)

// parseMimeType returns the MIME type in mediasoup's spelling and the subtype's entry.
func parseMimeType(s string) (string, codecName, error) {
	typ, sub, found := strings.Cut(s, "/")
	if !found || typ == "" || sub == "" {
		return "", codecName{}, api.TypeErrorf("wrong codec MIME")
	}
	typ, sub = strings.ToLower(typ), strings.ToLower(sub)
	if typ != "audio" && typ != "video" {
		return "", codecName{}, api.TypeErrorf("unknown codec MIME type '%s'", typ)
	}
	name, ok := codecNames[sub]
	if !ok {
		return "", codecName{}, api.TypeErrorf("unknown codec MIME subtype '%s'", sub)
	}
	return typ + "/" + name.name, name, nil
}
