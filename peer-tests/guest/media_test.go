package main

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"
)

// router has capabilities as mediasoup tells them: also codecs and header extensions that guests do not know.
const router = `{"codecs": [
	{"kind": "audio", "mimeType": "audio/opus", "preferredPayloadType": 100, "clockRate": 48000, "channels": 2, "parameters": {}, "rtcpFeedback": [{"type": "transport-cc", "parameter": ""}]},
	{"kind": "video", "mimeType": "video/VP8", "preferredPayloadType": 101, "clockRate": 90000, "parameters": {},
		"rtcpFeedback": [{"type": "nack", "parameter": ""}, {"type": "nack", "parameter": "pli"}, {"type": "goog-remb", "parameter": ""}, {"type": "transport-cc", "parameter": ""}]},
	{"kind": "video", "mimeType": "video/rtx", "preferredPayloadType": 102, "clockRate": 90000, "parameters": {"apt": 101}, "rtcpFeedback": []},
	{"kind": "video", "mimeType": "video/VP9", "preferredPayloadType": 103, "clockRate": 90000, "parameters": {"profile-id": 0}, "rtcpFeedback": []},
	{"kind": "video", "mimeType": "video/rtx", "preferredPayloadType": 104, "clockRate": 90000, "parameters": {"apt": 103}, "rtcpFeedback": []}],
	"headerExtensions": [
	{"kind": "video", "uri": "urn:ietf:params:rtp-hdrext:sdes:mid", "preferredId": 1},
	{"kind": "video", "uri": "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01", "preferredId": 5}]}`

func known(t *testing.T) capabilities {
	t.Helper()
	var c capabilities
	require.NoError(t, json.Unmarshal([]byte(router), &c))
	return understood(c)
}

func TestGuestsUnderstandOpusAndVP8(t *testing.T) {
	c := known(t)
	var types []uint8
	for _, codec := range c.Codecs {
		types = append(types, codec.PreferredPayloadType)
	}
	require.Equal(t, []uint8{100, 101, 102}, types)
	require.Equal(t, []feedback{{"nack", ""}, {"nack", "pli"}, {"transport-cc", ""}}, c.Codecs[1].RTCPFeedback)
	require.Equal(t, []headerExtension{{Kind: "video", URI: transportCCURI, PreferredID: 5}}, c.HeaderExtensions)
	require.Equal(t, "apt=101", c.Codecs[2].formatParameters())
	video := c.of("video")
	require.Equal(t, []uint8{101, 102}, []uint8{video[0].PayloadType, video[1].PayloadType})
	require.Zero(t, video[0].PreferredPayloadType)
}

// server is a transport as the server tells of it.
func server() transport {
	t := transport{
		Candidates: []iceCandidate{
			{Foundation: "udpcandidate", Priority: 10, Address: "127.0.0.1", Protocol: "udp", Port: 4000},
			{Foundation: "tcpcandidate", Priority: 9, Address: "127.0.0.1", Protocol: "tcp", Port: 4000},
		},
		DTLS: dtlsParameters{Role: "auto", Fingerprints: []fingerprint{
			{"sha-1", "00"}, {"sha-256", strings.TrimSuffix(strings.Repeat("AB:", 32), ":")},
		}},
	}
	t.ICE.UsernameFragment, t.ICE.Password = "fragment", "a password that is long enough"
	return t
}

func certificate(t *testing.T) *webrtc.Certificate {
	t.Helper()
	c, err := newCertificate()
	require.NoError(t, err)
	return c
}

func TestACameraHasThreeEncodingsWithRetransmissions(t *testing.T) {
	g := newGuest(0, &floor{guests: 1})
	g.film = &film{}
	s, err := newSender(g, known(t), certificate(t), func(error) {})
	require.NoError(t, err)
	defer s.pc.Close()
	require.NoError(t, s.connect(server()))
	p := s.parameters("video", s.camera)
	require.Len(t, p.Encodings, layers)
	for l, e := range p.Encodings {
		require.Equal(t, rid(l), e.RID)
		require.NotZero(t, e.SSRC)
		require.NotZero(t, e.RTX.SSRC)
	}
	require.Equal(t, transportCCURI, p.HeaderExtensions[0].URI)
	require.NotZero(t, s.levelExtension())
	require.Len(t, s.parameters("audio", s.microphone).Encodings, 1)
}

func TestAConsumerTakesThePlaceOfOneThatHasEnded(t *testing.T) {
	c := known(t)
	r, err := newReceiver(c, server(), 0, certificate(t), func(error) {})
	require.NoError(t, err)
	defer r.pc.Close()
	stream := func(id, kind string, ssrc uint32) consumer {
		return consumer{ID: id, Kind: kind, RTPParameters: rtpParameters{
			Codecs: c.of(kind), HeaderExtensions: []extension{{transportCCURI, 5}}, RTCP: rtcpParameters{CNAME: "somebody"},
			Encodings: []encoding{{SSRC: ssrc, RTX: &retransmission{ssrc + 1}}},
		}}
	}
	r.listen(dataConsumer{Label: "chat"})
	r.add(stream("a", "video", 10))
	r.add(stream("b", "audio", 20))
	require.NoError(t, r.negotiate())
	require.Contains(t, r.pc.RemoteDescription().SDP, "a=ssrc-group:FID 10 11")
	require.Contains(t, r.pc.LocalDescription().SDP, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel")
	r.remove("a")
	require.NoError(t, r.negotiate())
	require.Contains(t, r.pc.RemoteDescription().SDP, "a=inactive")
	r.add(stream("c", "video", 30))
	r.add(stream("d", "video", 40))
	require.NoError(t, r.negotiate())
	require.NotContains(t, r.pc.RemoteDescription().SDP, "a=inactive")
	var ids []string
	for _, s := range r.sections {
		ids = append(ids, s.id)
	}
	require.Equal(t, []string{"", probationID, "c", "b", "d"}, ids)
}

func TestAShareOfThePacketsIsLost(t *testing.T) {
	read := 0
	lossy := (&loss{share: 0.1}).BindRemoteStream(nil, interceptor.RTPReaderFunc(
		func([]byte, interceptor.Attributes) (int, interceptor.Attributes, error) {
			if read++; read > 100 {
				return 0, nil, io.EOF
			}
			return read, nil, nil
		}))
	got := 0
	for {
		if _, _, err := lossy.Read(nil, nil); err != nil {
			break
		}
		got++
	}
	require.Equal(t, 90, got)
}

func TestAKeyFrameIsTheOneBefore(t *testing.T) {
	key, delta := []byte{0x10}, []byte{0x11}
	p := &picture{frames: [][]byte{key, delta, delta, key, delta}, frame: 2}
	p.rewind()
	require.Equal(t, 0, p.frame)
	p.frame = 4
	p.rewind()
	require.Equal(t, 3, p.frame)
	p.rewind()
	require.Equal(t, 3, p.frame)
}
