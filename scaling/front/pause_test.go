package front_test

import "time"

// pause lets other goroutines go on, in a test that looks again and again for what must come.
func pause() { time.Sleep(5 * time.Millisecond) }
