package shard

// KeptRoom returns for how many messages the shard keeps room.
func (s *Shard) KeptRoom() int {
	s.turn.Lock()
	defer s.turn.Unlock()
	s.inbox.Lock()
	defer s.inbox.Unlock()
	return cap(s.spare) + cap(s.inbox.messages)
}
