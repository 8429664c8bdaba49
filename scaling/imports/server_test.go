package imports_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/scaling/front"
	"gazpacho/scaling/imports"
)

// patience is how long a test waits for what must come; only a failing test waits that long.
const patience = 20 * time.Second

// fakeFront takes what is asked for, and answers as the test says.
type fakeFront struct {
	asked   chan *asked
	stopped chan *asked
}

type asked struct {
	routerID, producerID string
	done                 func(front.Import, *front.ImportError)
	doneData             func(front.ImportedData, *front.ImportError) // of a data producer
	event                func(front.ImportEvent)
}

func (f *fakeFront) Import(
	routerID, producerID string, done func(front.Import, *front.ImportError), event func(front.ImportEvent),
) func() {
	return f.ask(&asked{routerID, producerID, done, nil, event})
}

func (f *fakeFront) ImportData(
	routerID, producerID string, done func(front.ImportedData, *front.ImportError), event func(front.ImportEvent),
) func() {
	return f.ask(&asked{routerID, producerID, nil, done, event})
}

func (f *fakeFront) ask(a *asked) (stop func()) {
	f.asked <- a
	return sync.OnceFunc(func() { f.stopped <- a })
}

func serve(t testing.TB, o imports.Options) (*fakeFront, string) {
	t.Helper()
	f := &fakeFront{make(chan *asked, 10_000), make(chan *asked, 10_000)}
	path := filepath.Join(t.TempDir(), "a.sock")
	l, err := net.Listen("unix", path)
	require.NoError(t, err)
	o.Front = f
	s := imports.Serve(&shortOfDescriptors{Listener: l}, o)
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.NoFileExists(t, path)
	})
	return f, path
}

// shortOfDescriptors is a listener for which the process has no descriptor, at first.
type shortOfDescriptors struct {
	net.Listener
	failed bool
}

func (l *shortOfDescriptors) Accept() (net.Conn, error) {
	if !l.failed {
		l.failed = true
		return nil, &net.OpError{Op: "accept", Net: "unix", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return l.Listener.Accept()
}

// process is the application's process.
type process struct {
	t testing.TB
	net.Conn
	in *bufio.Reader
}

func connect(t testing.TB, path string) *process {
	t.Helper()
	c, err := net.Dial("unix", path)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	return &process{t, c, bufio.NewReader(c)}
}

func (p *process) ask(line string) {
	p.t.Helper()
	_, err := io.WriteString(p, line)
	require.NoError(p.t, err)
}

// hears demands the next lines.
func (p *process) hears(lines ...string) {
	p.t.Helper()
	for _, want := range lines {
		got, err := p.in.ReadString('\n')
		require.NoError(p.t, err)
		require.Equal(p.t, want+"\n", got)
	}
}

func (p *process) ends() {
	p.t.Helper()
	_, err := p.in.ReadByte()
	require.ErrorIs(p.t, err, io.EOF)
}

const question = `{"import":{"routerId":"r","producerId":"p"}}` + "\n"

// everything is RTP parameters with all that there can be.
func everything() *api.RTPParameters {
	return &api.RTPParameters{
		MID: "0", MSID: "m",
		Codecs: []api.RTPCodecParameters{
			{
				MimeType: "video/H264", PayloadType: 100, ClockRate: 90000, Channels: new(uint8(1)),
				Parameters: []api.Parameter{
					{Name: "packetization-mode", Value: &api.ValueInteger32{Value: 1}},
					{Name: "profile-level-id", Value: &api.ValueString{Value: "42e01f"}},
					{Name: "flag", Value: &api.ValueBoolean{Value: 1}},
					{Name: "half", Value: &api.ValueDouble{Value: 0.5}},
					{Name: "list", Value: &api.ValueInteger32Array{Value: []int32{1, 2}}},
				},
				RTCPFeedback: []api.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}},
			},
			{MimeType: "audio/opus", PayloadType: 111, ClockRate: 48000, Channels: new(uint8(2))},
		},
		HeaderExtensions: []api.RTPHeaderExtensionParameters{
			{URI: api.RTPHeaderExtensionURIMid, ID: 1}, {URI: api.RTPHeaderExtensionURIDependencyDescriptor, ID: 2, Encrypt: true},
		},
		Encodings: []api.RTPEncodingParameters{
			{SSRC: new(uint32(5)), RTX: &api.RTX{SSRC: 6}, CodecPayloadType: new(uint8(100)), ScalabilityMode: "L1T3", MaxBitrate: new(uint64(7))},
			{RID: "hi", DTX: true},
		},
		RTCP: &api.RTCPParameters{CNAME: "c", ReducedSize: true},
	}
}

const everythingToldButExtensions = `{"import":{"id":"fresh","kind":"video","rtpParameters":{"mid":"0","codecs":[` +
	`{"mimeType":"video/H264","payloadType":100,"clockRate":90000,"parameters":{"flag":true,"half":0.5,"list":[1,2],` +
	`"packetization-mode":1,"profile-level-id":"42e01f"},"rtcpFeedback":[{"type":"nack","parameter":""},{"type":"nack","parameter":"pli"}]},` +
	`{"mimeType":"audio/opus","payloadType":111,"clockRate":48000,"channels":2,"parameters":{},"rtcpFeedback":[]}],` +
	`"headerExtensions":[%s],` +
	`"encodings":[{"ssrc":5,"codecPayloadType":100,"rtx":{"ssrc":6},"dtx":false,"scalabilityMode":"L1T3","maxBitrate":7},{"rid":"hi","dtx":true}],` +
	`"rtcp":{"cname":"c","reducedSize":true},"msid":"m"},"paused":true}}`

const (
	midTold        = `{"uri":"urn:ietf:params:rtp-hdrext:sdes:mid","id":1,"encrypt":false,"parameters":{}}`
	descriptorTold = `{"uri":"https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension","id":2,"encrypt":true,"parameters":{}}`
)

// An import from the question to the end: the answer, events in order, and the end of the connection.
func TestImport(t *testing.T) {
	f, path := serve(t, imports.Options{})
	p := connect(t, path)
	p.ask(question)
	a := <-f.asked
	require.Equal(t, []string{"r", "p"}, []string{a.routerID, a.producerID})
	a.done(front.Import{ID: "fresh", Kind: api.MediaKindVideo, RTPParameters: everything(), Paused: true}, nil)
	p.hears(fmt.Sprintf(everythingToldButExtensions, midTold+","+descriptorTold))
	a.event(front.ImportResumed)
	a.event(front.ImportPaused)
	a.event(front.ImportClosed)
	a.event(front.ImportPaused) // nobody hears it any more
	p.hears(`{"event":"resumed"}`, `{"event":"paused"}`, `{"event":"closed"}`)
	p.ends()
	require.Same(t, a, <-f.stopped)
}

const dataQuestion = `{"import":{"routerId":"r","dataProducerId":"dp"}}` + "\n"

// A data producer, from the question to the end.
func TestImportOfData(t *testing.T) {
	for told, params := range map[string]*api.SCTPStreamParameters{
		`{"streamId":7,"ordered":false,"maxRetransmits":3}`: {StreamID: 7, Ordered: new(false), MaxRetransmits: new(uint16(3))},
		`{"streamId":0,"maxPacketLifeTime":100}`:            {MaxPacketLifeTime: new(uint16(100))},
	} {
		f, path := serve(t, imports.Options{})
		p := connect(t, path)
		p.ask(dataQuestion)
		a := <-f.asked
		require.Equal(t, []string{"r", "dp"}, []string{a.routerID, a.producerID})
		a.doneData(front.ImportedData{ID: "fresh", SCTPStreamParameters: params, Label: "chat", Protocol: "json", Paused: true}, nil)
		p.hears(`{"import":{"id":"fresh","sctpStreamParameters":` + told + `,"label":"chat","protocol":"json","paused":true}}`)
		a.event(front.ImportResumed)
		a.event(front.ImportClosed)
		p.hears(`{"event":"resumed"}`, `{"event":"closed"}`)
		p.ends()
		require.Same(t, a, <-f.stopped)
	}
}

// Header extensions that the application's release has no word for are left out.
func TestReleaseWithoutAnExtension(t *testing.T) {
	f, path := serve(t, imports.Options{Knows: func(uri api.RTPHeaderExtensionURI) bool {
		return uri != api.RTPHeaderExtensionURIDependencyDescriptor
	}})
	p := connect(t, path)
	p.ask(question)
	(<-f.asked).done(front.Import{ID: "fresh", Kind: api.MediaKindVideo, RTPParameters: everything(), Paused: true}, nil)
	p.hears(fmt.Sprintf(everythingToldButExtensions, midTold))
}

// A refusal has a code for the library and a text for people, and ends the connection.
func TestRefusal(t *testing.T) {
	f, path := serve(t, imports.Options{})
	p := connect(t, path)
	p.ask(question)
	(<-f.asked).done(front.Import{}, &front.ImportError{Code: front.ImportProducerNotFound, Reason: "no such producer"})
	p.hears(`{"error":{"code":"PRODUCER_NOT_FOUND","message":"no such producer"}}`)
	p.ends()
	<-f.stopped
	p = connect(t, path)
	p.ask(dataQuestion)
	(<-f.asked).doneData(front.ImportedData{}, &front.ImportError{Code: front.ImportBusy, Reason: "no more"})
	p.hears(`{"error":{"code":"BUSY","message":"no more"}}`)
	p.ends()
	<-f.stopped
}

// A producer whose parameters fill more than a line is refused.
func TestParametersThatAreTooLong(t *testing.T) {
	f, path := serve(t, imports.Options{})
	p := connect(t, path)
	p.ask(question)
	params := everything()
	params.RTCP = nil
	params.MID = strings.Repeat("x", 64<<10)
	(<-f.asked).done(front.Import{ID: "fresh", RTPParameters: params}, nil)
	p.hears(`{"error":{"code":"FAILED","message":"the producer's RTP parameters are too long"}}`)
	p.ends()
	<-f.stopped
	p = connect(t, path)
	p.ask(dataQuestion)
	(<-f.asked).doneData(front.ImportedData{ID: "fresh", Label: strings.Repeat("x", 64<<10)}, nil)
	p.hears(`{"error":{"code":"FAILED","message":"the data producer's label and protocol are too long"}}`)
	p.ends()
	<-f.stopped
}

// A process that goes away ends what it has asked for, whether it was answered or not.
func TestProcessThatGoesAway(t *testing.T) {
	f, path := serve(t, imports.Options{})
	for _, answered := range []bool{false, true} {
		p := connect(t, path)
		p.ask(question)
		a := <-f.asked
		if answered {
			a.done(front.Import{ID: "fresh", Kind: api.MediaKindAudio, RTPParameters: &api.RTPParameters{}}, nil)
		}
		require.NoError(t, p.Close())
		require.Same(t, a, <-f.stopped)
		a.event(front.ImportPaused)
	}
}

// A process that does not read loses its connection; the front is never held up.
func TestProcessThatDoesNotRead(t *testing.T) {
	f, path := serve(t, imports.Options{})
	p := connect(t, path)
	p.ask(question)
	a := <-f.asked
	for stopped := false; !stopped; {
		a.event(front.ImportPaused)
		select {
		case <-f.stopped:
			stopped = true
		default:
		}
	}
}

// What is no question is answered with what is wrong, and asks for nothing.
func TestNonsense(t *testing.T) {
	f, path := serve(t, imports.Options{})
	for line, want := range map[string]string{
		"hello\n":                            "invalid character",
		"{}\n":                               "want ",
		`{"import":{"routerId":"r"}}` + "\n": "want ",
		`{"import":{"routerId":"r","producerId":"p","dataProducerId":"p"}}` + "\n": "want ",
		strings.Repeat("x", 64<<10+1): "more than 64 KiB",
	} {
		p := connect(t, path)
		p.ask(line)
		got, err := p.in.ReadString('\n')
		require.NoError(t, err)
		require.Contains(t, got, `"code":"FAILED"`)
		require.Contains(t, got, want)
		p.ends()
	}
	connect(t, path).Close() // without a word
	half := connect(t, path)
	half.ask(`{"import"`)
	require.NoError(t, half.Conn.(*net.UnixConn).CloseWrite())
	half.hears(`{"error":{"code":"FAILED","message":"unexpected EOF"}}`)
	require.Empty(t, f.asked)
}

// The server ends with imports under way, and takes no more.
func TestClose(t *testing.T) {
	f := &fakeFront{make(chan *asked, 1), make(chan *asked, 1)}
	path := filepath.Join(t.TempDir(), "a.sock")
	l, err := net.Listen("unix", path)
	require.NoError(t, err)
	s := imports.Serve(l, imports.Options{Front: f})
	p := connect(t, path)
	p.ask(question)
	<-f.asked
	require.NoError(t, s.Close())
	<-f.stopped
	_, err = net.Dial("unix", path)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// Who comes when there is no place is told so; a place that is left is taken.
func TestConnectionsAreBounded(t *testing.T) {
	f, path := serve(t, imports.Options{MaxConnections: 1})
	first := connect(t, path)
	first.ask(question)
	a := <-f.asked
	second := connect(t, path)
	second.hears(`{"error":{"code":"BUSY","message":"too many producers of other applications are used already"}}`)
	second.ends()
	a.event(front.ImportClosed)
	first.hears(`{"event":"closed"}`)
	first.ends()
	<-f.stopped
	for taken := false; !taken; { // the place is free a moment after the connection has ended
		p := connect(t, path)
		_, _ = io.WriteString(p, question) // which fails if there is no place
		busy := make(chan error, 1)
		go func() {
			_, err := p.in.ReadByte()
			busy <- err
		}()
		select {
		case <-f.asked:
			taken = true
		case <-busy:
		}
		p.Close()
	}
	<-f.stopped
}
