package api

import "reflect"

// needy is a body with parts that must not be missing. A codec's schema sees to that; Go code that calls a worker directly
// may forget them.
type needy interface {
	// missing names the first part that is missing, in the words of the Node library; empty when none is.
	missing() string
}

// part is a required part and what it is called.
type part struct {
	name  string
	value any
}

// firstNil returns the name of the first part that is nil, or that is an interface which holds a nil pointer. A part behind
// a nil one is not looked at.
func firstNil(parts ...part) string {
	for _, p := range parts {
		v := reflect.ValueOf(p.value)
		if !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
			return p.name
		}
	}
	return ""
}

func (r *RouterCreateWebRtcTransportRequest) missing() string {
	if r.Options == nil {
		return "options"
	}
	return firstNil(part{"options.base", r.Options.Base}, part{"options.listen", r.Options.Listen})
}

func (r *RouterCreatePlainTransportRequest) missing() string {
	if r.Options == nil {
		return "options"
	}
	return firstNil(part{"options.base", r.Options.Base}, part{"options.listenInfo", r.Options.ListenInfo})
}

func (r *RouterCreatePipeTransportRequest) missing() string {
	if r.Options == nil {
		return "options"
	}
	return firstNil(part{"options.base", r.Options.Base}, part{"options.listenInfo", r.Options.ListenInfo})
}

func (r *RouterCreateDirectTransportRequest) missing() string {
	if r.Options == nil {
		return "options"
	}
	return firstNil(part{"options.base", r.Options.Base})
}

func (r *RouterCreateActiveSpeakerObserverRequest) missing() string {
	return firstNil(part{"options", r.Options})
}

func (r *RouterCreateAudioLevelObserverRequest) missing() string {
	return firstNil(part{"options", r.Options})
}

func (r *TransportProduceRequest) missing() string {
	if name := firstNil(part{"rtpParameters", r.RTPParameters}, part{"rtpMapping", r.RTPMapping}); name != "" {
		return name
	}
	return r.RTPParameters.missing()
}

func (r *TransportConsumeRequest) missing() string {
	if r.RTPParameters == nil {
		return "rtpParameters"
	}
	return r.RTPParameters.missing()
}

func (p *RTPParameters) missing() string {
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
