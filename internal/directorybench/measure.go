package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"gazpacho/engine/api"
	"gazpacho/scaling/remote"
)

// Chosen here.
const (
	nodeCount   = 5
	serverCount = 3
	unanswered  = 200  // requests to a node that wait for an answer at once
	samples     = 5000 // look-ups, one by one
	paceShare   = 5    // one of so many producers is made slowly, paceRate of them a second
	paceRate    = 4000
	idleTime    = 10 * time.Second
	searchers   = 64 // look-ups at once after a death
	againTime   = 100 * time.Millisecond
	routerSize  = 10 // producers in a Router
)

// bench is what is measured.
type bench struct {
	out     io.Writer
	nodes   []*process
	workers []api.Worker
	found   *remote.Cluster
	ids     [][]string // of producers, by node
}

// measure does all.
func measure(producers int, out io.Writer) error {
	folder, err := os.MkdirTemp("", "directorybench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	var names []string
	for i := range nodeCount {
		names = append(names, fmt.Sprint("n", i+1))
	}
	config, err := certificates(filepath.Join(folder, "tls"), names)
	if err != nil {
		return err
	}
	b := &bench{out: out}
	b.nodes, err = start(filepath.Join(folder, "tls"), names, serverCount)
	defer func() {
		for _, p := range b.nodes {
			p.kill()
		}
	}()
	if err != nil {
		return err
	}
	o := remote.ClusterOptions{TLS: config, Opening: remote.Opening{Application: "bench"}}
	for _, p := range b.nodes {
		o.Seeds = append(o.Seeds, p.address)
	}
	b.found = remote.NewCluster(o)
	defer b.found.Close()
	for _, f := range b.found.Seeds() {
		w, err := f.Dial(func(*api.Notification) {})
		if err != nil {
			return err
		}
		defer w.Close()
		b.workers = append(b.workers, w)
	}
	b.found.Watch(func(remote.Found) {}, func(string) {})
	for n := range b.nodes {
		var ids []string
		for i := range producers / nodeCount {
			ids = append(ids, fmt.Sprintf("%08x-%04x-4000-8000-%012x", uint32(i*2654435761), n, i))
		}
		b.ids = append(b.ids, ids)
	}
	time.Sleep(2 * time.Second) // what is new settles
	return b.run()
}

// say prints a row.
func (b *bench) say(what, format string, values ...any) {
	fmt.Fprintf(b.out, "| %s | %s |\n", what, fmt.Sprintf(format, values...))
}

func (b *bench) run() error {
	fmt.Fprintf(b.out, "| figure | |\n|---|---|\n")
	before, idle := each(b.nodes, (*process).memory), b.idle()
	if err := b.register(); err != nil {
		return err
	}
	full := b.idle()
	b.say("CPU time of a node that does nothing, of a core", "%.2f %%; %.2f %% before", full, idle)
	b.say("memory of a node", "%.1f MB; %.1f MB before", megabytes(each(b.nodes, (*process).memory)), megabytes(before))
	if err := b.lookUp("look-up, one by one (median, 99 %)", nil); err != nil {
		return err
	}
	return b.death()
}

func megabytes(all int) float64 { return float64(all) / nodeCount / 1e6 }

// idle returns how much of a core a node takes that does nothing, in per cent.
func (b *bench) idle() float64 {
	before := each(b.nodes, (*process).cpu)
	time.Sleep(idleTime)
	return 100 * (each(b.nodes, (*process).cpu) - before).Seconds() / nodeCount / idleTime.Seconds()
}

// register has all producers made: most as fast as can be, and then the others at a rate, when some are looked up.
func (b *bench) register() error {
	fast := len(b.ids[0]) - len(b.ids[0])/paceShare
	began, before := time.Now(), each(b.nodes, (*process).cpu)
	if err := b.produce(0, fast, 0); err != nil {
		return err
	}
	took, cpu := time.Since(began), each(b.nodes, (*process).cpu)-before
	b.say(fmt.Sprint(nodeCount*fast, " producers made as fast as can be"), "%.1f s, %.0f a second", took.Seconds(), float64(nodeCount*fast)/took.Seconds())
	b.say("CPU time of all nodes for one: request, answer, registration at two holders", "%.0f µs", float64(cpu.Microseconds())/float64(nodeCount*fast))
	all, failed := make(chan struct{}), error(nil)
	go func() {
		failed = b.produce(fast, len(b.ids[0]), paceRate/nodeCount)
		close(all)
	}()
	err := b.lookUp(fmt.Sprintf("look-up while %d producers a second are made (median, 99 %%)", paceRate), all)
	<-all
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	b.say("all are found; the slowest look-up took", "%.2f s", b.until(b.all(), true).Seconds())
	return nil
}

// produce makes producers of all nodes, so many of each a second, or as fast as can be.
func (b *bench) produce(from, to, rate int) (err error) {
	var making sync.WaitGroup
	errs := make([]error, nodeCount)
	for n := range b.nodes {
		making.Go(func() { errs[n] = b.produceOn(n, from, to, rate) })
	}
	making.Wait()
	return errors.Join(errs...)
}

// produceOn makes producers of a node, in Routers with a transport.
func (b *bench) produceOn(n, from, to, rate int) error {
	places, failed := make(chan struct{}, unanswered), make(chan error, 1)
	var waiting sync.WaitGroup
	send := func(method api.Method, handler string, body api.RequestBody) {
		places <- struct{}{}
		waiting.Add(1)
		b.workers[n].HandleRequest(&api.Request{Method: method, HandlerID: handler, Body: body}, func(_ api.ResponseBody, err error) {
			if err != nil {
				select {
				case failed <- err:
				default:
				}
			}
			<-places
			waiting.Done()
		})
	}
	began := time.Now()
	for i := from; i < to; i++ {
		if rate > 0 {
			time.Sleep(time.Until(began.Add(time.Duration(i-from) * time.Second / time.Duration(rate))))
		}
		router := fmt.Sprintf("router-%d-%d", n, i/routerSize)
		if i%routerSize == 0 {
			send(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: router})
			send(api.MethodRouterCreateDirectTransport, router, &api.RouterCreateDirectTransportRequest{
				TransportID: "transport-" + router, Options: &api.DirectTransportOptions{Base: &api.TransportOptions{Direct: true}},
			})
		}
		send(api.MethodTransportProduce, "transport-"+router, &api.TransportProduceRequest{
			ProducerID: b.ids[n][i], Kind: api.MediaKindAudio, RTPParameters: &api.RTPParameters{RTCP: &api.RTCPParameters{}}, RTPMapping: &api.RTPMapping{},
		})
	}
	waiting.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// find looks a producer up, and says whether there is one.
func (b *bench) find(id string) (there bool, err error) {
	done := make(chan struct{})
	b.found.Find(id, func(node string, e error) {
		there, err = node != "", e
		close(done)
	})
	<-done
	return there, err
}

// lookUp looks producers up one by one, as many as are enough or until something ends. The first of each node have been there for a while.
func (b *bench) lookUp(what string, until <-chan struct{}) error {
	var times []time.Duration
	for i := range samples {
		select {
		case <-until:
			if len(times) > 0 {
				b.sayTimes(what, times)
				return nil
			}
		default:
		}
		began := time.Now()
		if there, err := b.find(b.ids[i%nodeCount][i/nodeCount%100]); err != nil || !there {
			return errors.Join(err, errors.New("a producer that was there for long was not found"))
		}
		times = append(times, time.Since(began))
	}
	b.sayTimes(what, times)
	return nil
}

func (b *bench) sayTimes(what string, times []time.Duration) {
	slices.Sort(times)
	b.say(what, "%.2f ms, %.2f ms (%d look-ups)", ms(times[len(times)/2]), ms(times[len(times)*99/100]), len(times))
}

func ms(d time.Duration) float64 { return d.Seconds() * 1000 }

// all returns the producers of all nodes but some.
func (b *bench) all(but ...int) (ids []string) {
	for n := range b.ids {
		if !slices.Contains(but, n) {
			ids = append(ids, b.ids[n]...)
		}
	}
	return ids
}

// until looks all producers up, each again and again until it is known to be there, or not, and returns how long the slowest one took.
func (b *bench) until(ids []string, there bool) time.Duration {
	var mu sync.Mutex
	var worst time.Duration
	work := make(chan string)
	var looking sync.WaitGroup
	for range searchers {
		looking.Go(func() {
			for id := range work {
				began := time.Now()
				for {
					if is, err := b.find(id); err == nil && is == there {
						break
					}
					time.Sleep(againTime)
				}
				mu.Lock()
				worst = max(worst, time.Since(began))
				mu.Unlock()
			}
		})
	}
	for _, id := range ids {
		work <- id
	}
	close(work)
	looking.Wait()
	return worst
}

// death kills a node with a server of the bus.
func (b *bench) death() error {
	const dead = 0
	others := b.all(dead)
	b.nodes[dead].kill()
	began := time.Now()
	slowest := b.until(others, true)
	b.say(fmt.Sprintf("a node is killed, and the %d producers of the others are looked up, %d at once", len(others), searchers),
		"all found, in %.1f s; the slowest look-up took %.2f s", time.Since(began).Seconds(), slowest.Seconds())
	b.until(b.ids[dead], false)
	b.say("those of the dead node are absent, all of them", "%.1f s after its death at the latest", time.Since(began).Seconds())
	b.say("then all of the others are looked up again", "all found; the slowest look-up took %.2f s", b.until(others, true).Seconds())
	b.say("memory of a node", "%.1f MB", megabytes(each(b.nodes, (*process).memory)*nodeCount/(nodeCount-1)))
	return nil
}
