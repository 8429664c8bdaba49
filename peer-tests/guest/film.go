package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/pion/webrtc/v4/pkg/media/ivfreader"
	"github.com/pion/webrtc/v4/pkg/media/oggreader"
)

const (
	framesPerSecond = 12
	loopSeconds     = 6 // after which a film begins anew; all its motions have this period, or half of it
	keyInterval     = framesPerSecond
	layers          = 3 // sizes
)

// What ffmpeg makes each layer of, from the smallest one: its size, and bits per second.
var (
	sizes    = [layers]string{"160:90", "320:180", "640:360"}
	bitrates = [layers]string{"50k", "150k", "400k"}
)

var palette = []string{"e3b9a0", "8fb8a8", "9fb4d6", "d8c58e", "c9a3c4", "a8c686", "e0a9a9", "92c1c9"}

// film is a moving picture: frames of VP8 for each layer. Whoever shows it goes back to the first frame after the last one.
type film [layers][][]byte

// drawing holds those back who would draw on a core that is not there.
var drawing = make(chan struct{}, runtime.NumCPU())

// draw makes the film of a guest. It is made once and shown again and again: encoding all the time would take ten times as much as all
// that a guest does otherwise.
func draw(ctx context.Context, i int) (*film, error) {
	args := []string{"-filter_complex", portrait(i)}
	files := make([]string, layers)
	for l := range layers {
		files[l] = fmt.Sprint(l, ".ivf")
		args = append(args, "-map", fmt.Sprintf("[out%d]", l), "-t", fmt.Sprint(loopSeconds), "-c:v", "libvpx", "-b:v", bitrates[l],
			"-deadline", "realtime", "-cpu-used", "8", "-threads", "1", "-g", fmt.Sprint(keyInterval), files[l])
	}
	made, err := ffmpeg(ctx, args, files...)
	if err != nil {
		return nil, err
	}
	var f film
	for l := range f {
		if f[l], err = frames(made[l]); err != nil {
			return nil, err
		}
	}
	return &f, nil
}

// portrait is a graph of ffmpeg's filters: head and shoulders, drawn once, that sway before colours that turn.
func portrait(i int) string {
	colour := func(step int) string { return "0x" + palette[(i+step)%len(palette)] }
	const person = "max(clip(68-hypot(X-320,Y-156),0,1),clip(144-hypot((X-320)*0.85,Y-376),0,1))"
	graph := []string{
		fmt.Sprintf("gradients=size=160x90:rate=%d:c0=%s:c1=%s:n=2:speed=2*PI/%d:seed=%d,format=yuv420p,scale=640:360[back]",
			framesPerSecond, colour(0), colour(3), loopSeconds*framesPerSecond, i+1),
		fmt.Sprintf("color=c=%s:size=640x360:rate=%d,format=rgba,trim=end_frame=1,geq=r='r(X,Y)*0.55':g='g(X,Y)*0.55':b='b(X,Y)*0.6':a='255*%s',"+
			"format=yuva420p,loop=loop=-1:size=1,setpts=N/%d/TB[person]", colour(5), framesPerSecond, person, framesPerSecond),
		fmt.Sprintf("[back][person]overlay=x='10*sin(2*PI*t/%[1]d+%[2]d)':y='10+4*sin(4*PI*t/%[1]d+%[2]d)',split=%[3]d[in0][in1][in2]",
			loopSeconds, i, layers),
	}
	for l, size := range sizes {
		graph = append(graph, fmt.Sprintf("[in%d]scale=%s,format=yuv420p[out%d]", l, size, l))
	}
	return strings.Join(graph, ";")
}

// speak makes what a guest says, as packets of Opus: a soft murmur, for as long as a speech is.
func speak(ctx context.Context, i int) ([][]byte, error) {
	pitch := 105 + 19*(5*i%8)
	tone := fmt.Sprintf("(2*PI*%d*t+3*sin(1.2*PI*t))", pitch)
	source := fmt.Sprintf("aevalsrc='0.06*max(0,sin(6.5*PI*t+sin(PI*t)))*(sin(%[1]s)+0.6*sin(2*%[1]s)+0.4*sin(3*%[1]s))':s=48000:n=960:d=%[2]g,lowpass=f=900",
		tone, speech.Seconds())
	made, err := ffmpeg(ctx, []string{"-f", "lavfi", "-i", source, "-c:a", "libopus", "-b:a", "24k", "-page_duration", "20000", "voice.ogg"}, "voice.ogg")
	if err != nil {
		return nil, err
	}
	return pages(made[0])
}

// ffmpeg runs in a folder of its own, and returns the files that it made there.
func ffmpeg(ctx context.Context, args []string, files ...string) ([][]byte, error) {
	drawing <- struct{}{}
	defer func() { <-drawing }()
	folder, err := os.MkdirTemp("", "guest-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	command := exec.CommandContext(ctx, "ffmpeg", append([]string{"-hide_banner", "-loglevel", "error", "-nostdin", "-threads", "1"}, args...)...)
	command.Dir = folder
	if said, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("ffmpeg: %w %s", err, said)
	}
	made := make([][]byte, len(files))
	for i, file := range files {
		if made[i], err = os.ReadFile(filepath.Join(folder, file)); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// frames returns those of an IVF file.
func frames(file []byte) ([][]byte, error) {
	r, _, err := ivfreader.NewWith(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	var all [][]byte
	for {
		frame, _, err := r.ParseNextFrame()
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, err
		}
		all = append(all, frame)
	}
}

// headerPages of an Ogg file with Opus come before the sound (RFC 7845 section 3). oggreader takes the first one itself.
const headerPages = 1

// pages returns the packets of an Ogg file that has one on each page.
func pages(file []byte) ([][]byte, error) {
	r, _, err := oggreader.NewWith(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	var all [][]byte
	for {
		packet, _, err := r.ParseNextPage()
		switch {
		case errors.Is(err, io.EOF):
			return all[min(headerPages, len(all)):], nil
		case err != nil:
			return nil, err
		}
		all = append(all, packet)
	}
}
