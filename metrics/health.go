package metrics

import (
	"net/http"
	"sync"
	"time"
)

// aliveTime is how long a process may take to show that it is alive. Chosen here: far beyond what load causes.
const aliveTime = 2 * time.Second

// alive finds out whether something still answers. It asks once at a time, however many want to know.
type alive struct {
	ask func()

	mu     sync.Mutex
	answer chan struct{} // closed when the present question is answered; nil if there is none
}

// ServeHTTP implements http.Handler.
func (a *alive) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	a.mu.Lock()
	if a.answer == nil {
		answer := make(chan struct{})
		a.answer = answer
		go func() {
			a.ask()
			a.mu.Lock()
			defer a.mu.Unlock()
			a.answer = nil
			close(answer)
		}()
	}
	answer := a.answer
	a.mu.Unlock()
	select {
	case <-answer:
		say(w, http.StatusOK, "alive")
	case <-time.After(aliveTime):
		say(w, http.StatusServiceUnavailable, "a shard does not answer")
	}
}

// ready shows whether new work may be sent here. problem returns what is against it, "" for nothing.
func ready(problem func() string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if why := problem(); why != "" {
			say(w, http.StatusServiceUnavailable, why)
			return
		}
		say(w, http.StatusOK, "ready")
	}
}

func say(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	w.Write([]byte(text + "\n"))
}
