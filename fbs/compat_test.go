package fbs_test

import (
	"math"
	"os"
	"strings"
	"testing"

	flatbuffers "github.com/google/flatbuffers/go"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/fbs"
)

// through encodes and decodes a message in the dialect of a release, and returns what the worker sees of it.
func through(t *testing.T, release string, m api.MessageBody) api.MessageBody {
	t.Helper()
	d, err := fbs.Load(release)
	require.NoError(t, err)
	frame, err := d.NewEncoder().AppendMessage(nil, m)
	require.NoError(t, err)
	got, err := d.DecodeMessage(frame[4:])
	require.NoError(t, err)
	return got
}

func ptr[T any](v T) *T { return &v }

func TestAddressesKeepTheirMeaning(t *testing.T) {
	m := &api.Request{ID: 1, HandlerID: "h", Body: &api.WorkerCreateWebRtcServerRequest{
		WebRtcServerID: "s",
		ListenInfos:    []api.ListenInfo{{Protocol: api.ProtocolUDP, IP: "1.2.3.4", AnnouncedAddress: "5.6.7.8", Port: 9, Flags: &api.SocketFlags{IPv6Only: true}}},
	}}
	require.Equal(t, m, through(t, "3.13.0", m))
	tuple := &api.Notification{HandlerID: "h", Event: api.EventPlainTransportTuple, Body: &api.PlainTransportTupleNotification{
		Tuple: &api.TransportTuple{LocalAddress: "1.2.3.4", LocalPort: 5, RemoteIP: "6.7.8.9", RemotePort: 10, Protocol: api.ProtocolUDP},
	}}
	require.Equal(t, tuple, through(t, "3.13.16", tuple))
}

func TestPortRangesAndFlagsMayBeMissing(t *testing.T) {
	info := api.ListenInfo{
		Protocol: api.ProtocolUDP, IP: "1.2.3.4", ExposeInternalIP: true, Port: 9,
		PortRange: &api.PortRange{Min: 1, Max: 2}, Flags: &api.SocketFlags{UDPReusePort: true}, SendBufferSize: 3, RecvBufferSize: 4,
	}
	for release, want := range map[string]api.ListenInfo{
		"3.27.1":  info,
		"3.18.0":  info,
		"3.14.1":  {Protocol: info.Protocol, IP: info.IP, Port: 9, PortRange: info.PortRange, Flags: info.Flags, SendBufferSize: 3, RecvBufferSize: 4},
		"3.13.24": {Protocol: info.Protocol, IP: info.IP, Port: 9, Flags: info.Flags, SendBufferSize: 3, RecvBufferSize: 4},
		// Sockets of that time took IPv6 only.
		"3.13.13": {Protocol: info.Protocol, IP: info.IP, Port: 9, Flags: &api.SocketFlags{IPv6Only: true}, SendBufferSize: 3, RecvBufferSize: 4},
		"3.13.5":  {Protocol: info.Protocol, IP: info.IP, Port: 9, Flags: &api.SocketFlags{IPv6Only: true}, SendBufferSize: 3, RecvBufferSize: 4},
	} {
		m := &api.Request{ID: 1, HandlerID: "h", Body: &api.WorkerCreateWebRtcServerRequest{ListenInfos: []api.ListenInfo{info}}}
		got := through(t, release, m).(*api.Request).Body.(*api.WorkerCreateWebRtcServerRequest)
		require.Equal(t, want, got.ListenInfos[0], release)
	}
}

func TestHeaderExtensionsOfOldReleases(t *testing.T) {
	of := func(uris ...api.RTPHeaderExtensionURI) api.MessageBody {
		parameters := &api.RTPParameters{RTCP: &api.RTCPParameters{}}
		for _, uri := range uris {
			parameters.HeaderExtensions = append(parameters.HeaderExtensions, api.RTPHeaderExtensionParameters{URI: uri, ID: 1})
		}
		return &api.Request{ID: 1, HandlerID: "h", Body: &api.TransportConsumeRequest{RTPParameters: parameters}}
	}
	marking := of(api.RTPHeaderExtensionURIMid, api.RTPHeaderExtensionURIFrameMarking, api.RTPHeaderExtensionURIFrameMarkingDraft07,
		api.RTPHeaderExtensionURISsrcAudioLevel)
	require.Equal(t, marking, through(t, "3.13.0", marking))
	require.Equal(t, marking, through(t, "3.16.0", marking))
	level := of(api.RTPHeaderExtensionURISsrcAudioLevel, api.RTPHeaderExtensionURIDependencyDescriptor)
	require.Equal(t, level, through(t, "3.19.4", level))
	require.Equal(t, level, through(t, "3.27.1", level))
}

func TestJitterAndLossOfOldReleases(t *testing.T) {
	stats := func(base api.RTPStreamBaseStats) api.MessageBody {
		return &api.Response{ID: 1, Accepted: true, Body: &api.ProducerGetStatsResponse{Stats: []api.RTPStreamStats{{
			Data: &api.RTPStreamRecvStats{Base: &api.RTPStreamStats{Data: &base}, PacketCount: 5, Bitrate: math.MaxUint32 + 10},
		}}}}
	}
	for release, want := range map[string]struct {
		lost    int32
		bitrate uint64
	}{
		"3.19.7": {0, math.MaxUint32}, "3.26.0": {-3, math.MaxUint32}, "3.27.1": {-3, math.MaxUint32 + 10},
	} {
		got := through(t, release, stats(api.RTPStreamBaseStats{PacketsLost: -3, Jitter: 44})).(*api.Response)
		recv := got.Body.(*api.ProducerGetStatsResponse).Stats[0].Data.(*api.RTPStreamRecvStats)
		require.Equal(t, &api.RTPStreamBaseStats{PacketsLost: want.lost, Jitter: 44}, recv.Base.Data, release)
		require.Equal(t, want.bitrate, recv.Bitrate, release)
		require.Equal(t, uint64(5), recv.PacketCount)
	}
}

// TestSCTPOptionsOfOldReleases sends what the Node library of 3.19.22 sends, laid out as in that release.
func TestSCTPOptionsOfOldReleases(t *testing.T) {
	options := func(o api.TransportOptions) *api.TransportOptions {
		m := &api.Request{ID: 1, HandlerID: "h", Body: &api.RouterCreateDirectTransportRequest{Options: &api.DirectTransportOptions{Base: &o}}}
		return through(t, "3.19.22", m).(*api.Request).Body.(*api.RouterCreateDirectTransportRequest).Options.Base
	}
	streams := &api.NumSCTPStreams{OS: 7, MIS: 1024}
	require.Equal(t, &api.TransportOptions{
		EnableSCTP: true, MaxSendMessageSize: 300000, MaxReceiveMessageSize: 300000, IsDataChannel: true,
		SCTPSendBufferSize: 300000, SCTPPerStreamSendQueueLimit: 2000000, SCTPMaxReceiverWindowBufferSize: 5242880,
		NumSCTPStreams: streams, InitialAvailableOutgoingBitrate: ptr(uint64(600000)),
	}, options(api.TransportOptions{
		EnableSCTP: true, MaxSendMessageSize: 300000, MaxReceiveMessageSize: 300000, SCTPSendBufferSize: 262144, IsDataChannel: true,
		NumSCTPStreams: streams, InitialAvailableOutgoingBitrate: ptr(uint64(600000)),
	}))
	require.Equal(t, &api.TransportOptions{
		Direct: true, MaxSendMessageSize: 1024, MaxReceiveMessageSize: 1024,
		SCTPSendBufferSize: 1024, SCTPPerStreamSendQueueLimit: 2000000, SCTPMaxReceiverWindowBufferSize: 5242880,
	}, options(api.TransportOptions{Direct: true, MaxReceiveMessageSize: 1024}))
	require.Equal(t, &api.NumSCTPStreams{OS: 1024, MIS: 1024}, options(api.TransportOptions{EnableSCTP: true}).NumSCTPStreams)
}

func TestDumpsOfOldReleases(t *testing.T) {
	server := &api.Response{ID: 1, Accepted: true, Body: &api.WebRtcServerDumpResponse{
		ID: "s", UDPSockets: []api.IPPort{{IP: "1.2.3.4", Port: 5}}, WebRtcTransportIDs: []string{"t"},
		LocalICEUsernameFragments: []api.ICEUserNameFragment{{LocalICEUsernameFragment: "u", WebRtcTransportID: "t"}},
	}}
	require.Equal(t, server, through(t, "3.13.0", server))
	transport := &api.Response{ID: 1, Accepted: true, Body: &api.DirectTransportDumpResponse{Base: &api.TransportDump{
		MaxReceiveMessageSize: 1000, RecvRTPHeaderExtensions: &api.RecvRTPHeaderExtensions{}, RTPListener: &api.TransportRTPListener{},
		SCTPParameters: &api.SCTPParameters{Port: 5000, OS: 7, MIS: 8, MaxReceiveMessageSize: 1000, SendBufferSize: 9},
	}}}
	require.Equal(t, transport, through(t, "3.19.22", transport))
}

func TestAnswersWithoutContent(t *testing.T) {
	m := &api.Response{ID: 1, Accepted: true, Body: &api.DataConsumerSendResponse{BufferedAmount: 5}}
	require.Equal(t, &api.Response{ID: 1, Accepted: true}, through(t, "3.19.22", m))
	require.Equal(t, m, through(t, "3.21.0", m))
}

func TestWhatOldReleasesRequired(t *testing.T) {
	layers := &api.Notification{HandlerID: "h", Event: api.EventConsumerLayersChange, Body: &api.ConsumerLayersChangeNotification{}}
	require.Equal(t, layers, through(t, "3.13.0", layers))
	connect := &api.Response{ID: 1, Accepted: true, Body: &api.PlainTransportConnectResponse{}}
	require.Equal(t, connect, through(t, "3.13.0", connect))
}

// bareRequest returns a message with a request that has an id, a method and no body, as Node sends it.
func bareRequest(id uint32, method uint8) []byte {
	b := flatbuffers.NewBuilder(0)
	handler := b.CreateString("")
	b.StartObject(5)
	b.PrependUOffsetTSlot(2, handler, 0)
	b.PrependUint32Slot(0, id, 0)
	b.PrependByteSlot(1, method, 0)
	request := b.EndObject()
	b.StartObject(2)
	b.PrependUOffsetTSlot(1, request, 0)
	b.PrependByteSlot(0, 1, 0)
	b.Finish(b.EndObject())
	return b.FinishedBytes()
}

func TestClosingByRequest(t *testing.T) {
	for _, r := range fbs.Releases() {
		d, err := fbs.Load(r.Version)
		require.NoError(t, err)
		order, err := fbs.CompareReleases(r.Version, "3.19.17")
		require.NoError(t, err)
		closed := 0
		for method := range 256 {
			m, _ := d.DecodeMessage(bareRequest(5, uint8(method)))
			if r, ok := m.(*api.Request); ok && r.Method == api.MethodWorkerClose {
				require.Equal(t, uint32(5), r.ID)
				closed++
			}
		}
		want := 0
		if order <= 0 {
			want = 1
		}
		require.Equal(t, want, closed, r.Version)
	}
}

func TestCompatOfReleases(t *testing.T) {
	all := api.Compat{TemporalLimitAtPreferredOnly: true, PlainPipes: true, SmallFrames: true}
	for release, want := range map[string]api.Compat{
		"3.13.0":  all,
		"3.19.22": all,
		"3.20.0":  all,
		"3.20.10": all,
		"3.21.0":  {TemporalLimitAtPreferredOnly: true, PlainPipes: true},
		"3.21.2":  {TemporalLimitAtPreferredOnly: true, PlainPipes: true},
		"3.22.0":  {TemporalLimitAtPreferredOnly: true, UnfilteredPipes: true, OldPipeToken: true},
		"3.23.1":  {TemporalLimitAtPreferredOnly: true, UnfilteredPipes: true, OldPipeToken: true},
		"3.23.2":  {TemporalLimitAtPreferredOnly: true, OldPipeToken: true},
		"3.24.0":  {TemporalLimitAtPreferredOnly: true},
		"3.25.0":  {TemporalLimitAtPreferredOnly: true},
		"3.26.0":  {},
		"3.27.1":  {},
		"4.0.0":   {},
	} {
		c, err := fbs.Compat(release)
		require.NoError(t, err)
		require.Equal(t, want, c, release)
	}
	_, err := fbs.Compat("newest")
	require.Error(t, err)
}

// TestDocumentedReleases compares the tables of docs/releases.md with what is known.
func TestDocumentedReleases(t *testing.T) {
	text, err := os.ReadFile("../docs/releases.md")
	require.NoError(t, err)
	page := string(text)
	for _, rule := range fbs.CompatRules() {
		releases := rule.Until
		if rule.Since != "" {
			releases = rule.Since + " to " + rule.Until
		}
		require.Contains(t, page, "\n| "+rule.Name+" | "+releases+" | ")
	}
	for _, d := range fbs.Releases() {
		require.Contains(t, page, "\n| "+d.Dialect+" | "+runs(func(r fbs.Release) bool { return r.Dialect == d.Dialect })+" | ")
		require.Contains(t, page, "\n| "+d.Evidence+" | "+runs(func(r fbs.Release) bool { return r.Evidence == d.Evidence })+" | ")
	}
}

// runs lists the releases that are in a set, consecutive ones as a range.
func runs(in func(fbs.Release) bool) string {
	var list []string
	var run []fbs.Release
	end := func() {
		switch n := len(run); n {
		case 0:
			return
		case 1:
			list = append(list, run[0].Version)
		case 2:
			list = append(list, run[0].Version, run[1].Version)
		default:
			list = append(list, run[0].Version+" to "+run[n-1].Version)
		}
		run = nil
	}
	for _, r := range fbs.Releases() {
		if in(r) {
			run = append(run, r)
			continue
		}
		end()
	}
	end()
	return strings.Join(list, ", ")
}
