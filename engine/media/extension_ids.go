package media

import "gazpacho/engine/api"

// ExtensionIDs are the ids that one peer uses for the RTP header extensions a router knows (RFC 8285 section 4); 0 means
// that the peer does not use the extension.
type ExtensionIDs struct {
	MID, RID, RRID       uint8
	AbsSendTime          uint8
	TransportCC          uint8
	AudioLevel           uint8
	DependencyDescriptor uint8
	VideoOrientation     uint8
	TimeOffset           uint8
	AbsCaptureTime       uint8
	PlayoutDelay         uint8
	PacketID             uint8
}

// extensionIDs collects the ids of the extensions; the first of several entries with one URI counts, as upstream.
func extensionIDs(params []api.RTPHeaderExtensionParameters) ExtensionIDs {
	var ids ExtensionIDs
	for _, p := range params {
		if field := ids.field(p.URI); field != nil && *field == 0 {
			*field = p.ID
		}
	}
	return ids
}

func (ids *ExtensionIDs) field(uri api.RTPHeaderExtensionURI) *uint8 {
	switch uri {
	case api.RTPHeaderExtensionURIMid:
		return &ids.MID
	case api.RTPHeaderExtensionURIRTPStreamId:
		return &ids.RID
	case api.RTPHeaderExtensionURIRepairRTPStreamId:
		return &ids.RRID
	case api.RTPHeaderExtensionURIAbsSendTime:
		return &ids.AbsSendTime
	case api.RTPHeaderExtensionURITransportWideCcDraft01:
		return &ids.TransportCC
	case api.RTPHeaderExtensionURISsrcAudioLevel:
		return &ids.AudioLevel
	case api.RTPHeaderExtensionURIDependencyDescriptor:
		return &ids.DependencyDescriptor
	case api.RTPHeaderExtensionURIVideoOrientation:
		return &ids.VideoOrientation
	case api.RTPHeaderExtensionURITimeOffset:
		return &ids.TimeOffset
	case api.RTPHeaderExtensionURIAbsCaptureTime:
		return &ids.AbsCaptureTime
	case api.RTPHeaderExtensionURIPlayoutDelay:
		return &ids.PlayoutDelay
	case api.RTPHeaderExtensionURIMediasoupPacketId:
		return &ids.PacketID
	default:
		return nil
	}
}
