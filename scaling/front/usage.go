package front

import (
	"time"

	"gazpacho/engine/api"
)

// usageInterval is the time between two looks at the nodes' load, chosen here: as often as nodes on other hosts tell it.
const usageInterval = time.Second

// usage is what the application is told of CPU times. It reads their growth as per cent, and takes a worker at 100 for full: see
// docs/cpu-shares.md. A front is full when its nodes are, or when its own process is, so it tells the growth of whichever grows faster.
// It adds growth up, and never goes back, whatever becomes of nodes and of the times that these count.
type usage struct {
	asked bool          // the application has asked for it
	at    time.Time     // when the nodes were looked at last
	nodes time.Duration // grows as fast as the time if they can forward no more

	lastUser, lastSystem uint64        // of the front's process, in ms, at the last answer
	lastNodes            time.Duration // at the last answer
	user, system         uint64        // what was told, in ms
}

// getResourceUsage answers what the front's own engine does, with the CPU times of all. Memory and the like are its process's.
func getResourceUsage(o *operation) *gate {
	f := o.front
	f.own.ask(o.req.Method, "", nil, func(body api.ResponseBody, err error) {
		own, ok := body.(*api.WorkerResourceUsageResponse)
		if !ok || own == nil {
			o.answer(body, err)
			return
		}
		f.sampleUsage()
		told := *own
		told.RuUtime, told.RuStime = f.usage.tell(own.RuUtime, own.RuStime)
		o.answer(&told, nil)
	})
	return nil
}

// sampleUsage looks at the nodes' load, from the first time on that the application asks.
func (f *Front) sampleUsage() {
	if len(f.nodes()) == 0 {
		return
	}
	u, now := &f.usage, f.options.Clock.Now()
	if !u.asked {
		u.asked, u.at = true, now
		f.after(usageInterval, f.repeatSampleUsage)
		return
	}
	u.nodes += time.Duration(f.meanLoad() * float64(now.Sub(u.at)))
	u.at = now
}

func (f *Front) repeatSampleUsage() {
	f.sampleUsage()
	f.after(usageInterval, f.repeatSampleUsage)
}

// meanLoad returns how much of what the nodes can do they do, from 0 to 1. Nodes that take nothing new do not count, as no room can
// be placed there, and without any other the front is full.
func (f *Front) meanLoad() float64 {
	sum, count := 0.0, 0
	for _, n := range f.nodes() {
		if n.available() {
			sum += n.load()
			count++
		}
	}
	if count == 0 {
		return 1
	}
	return sum / float64(count)
}

// tell returns what the application is told when the front's process has used so much, in ms.
func (u *usage) tell(ownUser, ownSystem uint64) (user, system uint64) {
	moreUser, moreSystem := ownUser-u.lastUser, ownSystem-u.lastSystem
	if more := uint64((u.nodes - u.lastNodes).Milliseconds()); more > moreUser+moreSystem {
		moreUser = more - moreSystem
	}
	u.lastUser, u.lastSystem = ownUser, ownSystem
	u.lastNodes = u.nodes.Truncate(time.Millisecond)
	u.user += moreUser
	u.system += moreSystem
	return u.user, u.system
}
