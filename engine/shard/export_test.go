package shard

// KeptRoom returns for how many messages the shard keeps room.
func (s *Shard) KeptRoom() int {
	s.turn.Lock()
	defer s.turn.Unlock()
	s.mailbox.Lock()
	defer s.mailbox.Unlock()
	return cap(s.spare) + cap(s.mailbox.messages)
}
