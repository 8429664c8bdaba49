package fbs

// codecsRule: up to 3.16.0, applications could use two more video codecs. Their names are strings on the wire; engine/media
// knows them. As with other codecs, H265 is forwarded without looking for key frames, as upstream's worker did; of H264-SVC,
// all layers are forwarded.
var codecsRule = CompatRule{
	Name: "codecs", Until: "3.16.0",
	Text: "there were H265 and H264-SVC",
}
