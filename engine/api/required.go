package api

import "reflect"

// validator is a request body with required parts. A codec enforces its schema; Go code that calls a worker directly may omit
// them.
type validator interface {
	// missingField returns the name of the first missing part, as the Node library calls it, or "".
	missingField() string
}

// part is a required part with its name.
type part struct {
	name  string
	value any
}

// firstNil returns the name of the first part that is nil or an interface that holds a nil pointer.
func firstNil(parts ...part) string {
	for _, p := range parts {
		v := reflect.ValueOf(p.value)
		if !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
			return p.name
		}
	}
	return ""
}

func (r *RouterCreateWebRtcTransportRequest) missingField() string {
	if r.Options == nil {
		return "options"
	}
	return firstNil(part{"options.base", r.Options.Base}, part{"options.listen", r.Options.Listen})
}

func (r *RouterCreatePlainTransportRequest) missingField() string {
	if r.Options == nil {
		return "options"
	}
	return firstNil(part{"options.base", r.Options.Base}, part{"options.listenInfo", r.Options.ListenInfo})
}

func (r *RouterCreatePipeTransportRequest) missingField() string {
	if r.Options == nil {
		return "options"
	}
	return firstNil(part{"options.base", r.Options.Base}, part{"options.listenInfo", r.Options.ListenInfo})
}

func (r *RouterCreateDirectTransportRequest) missingField() string {
	if r.Options == nil {
		return "options"
	}
	return firstNil(part{"options.base", r.Options.Base})
}

func (r *RouterCreateActiveSpeakerObserverRequest) missingField() string {
	return firstNil(part{"options", r.Options})
}

func (r *RouterCreateAudioLevelObserverRequest) missingField() string {
	return firstNil(part{"options", r.Options})
}

func (r *TransportProduceRequest) missingField() string {
	if name := firstNil(part{"rtpParameters", r.RTPParameters}, part{"rtpMapping", r.RTPMapping}); name != "" {
		return name
	}
	return r.RTPParameters.missingField()
}

func (r *TransportConsumeRequest) missingField() string {
	if r.RTPParameters == nil {
		return "rtpParameters"
	}
	return r.RTPParameters.missingField()
}

func (p *RTPParameters) missingField() string {
	for i := range p.Codecs {
		if lackValue(p.Codecs[i].Parameters) {
			return "value of rtpParameters.codecs[].parameters[]"
		}
	}
	for i := range p.HeaderExtensions {
		if lackValue(p.HeaderExtensions[i].Parameters) {
			return "value of rtpParameters.headerExtensions[].parameters[]"
		}
	}
	return firstNil(part{"rtpParameters.rtcp", p.RTCP})
}

func lackValue(list []Parameter) bool {
	for i := range list {
		if firstNil(part{"value", list[i].Value}) != "" {
			return true
		}
	}
	return false
}
