package netio

// Serve accepts connections until the server is closed and hands what they receive to h. It blocks: give it a goroutine of
// its own. When it returns, all connections are closed, their goroutines have ended and h is not called again.
func (s *TCPServer) Serve(h TCPHandler) {}
