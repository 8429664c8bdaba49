package look

import (
	"cmp"
	"slices"
)

// Survey is what there is on all shards of a process. It is taken over many turns, so that its numbers are not of one instant.
type Survey struct {
	At       int64         `json:"at"` // milliseconds since 1970
	CPU      float64       `json:"cpu"`
	Shards   []Shard       `json:"shards"`
	Owners   []OwnerSum    `json:"owners"`
	Relays   []RelayEnd    `json:"relays"`
	Rooms    int           `json:"rooms"`
	Omitted  int           `json:"omitted,omitempty"` // relays for which there was no room
	Readings []Reading     `json:"-"`
	All      []RoomSummary `json:"-"` // in their order
}

// Shard is how busy a shard was since the survey before.
type Shard struct {
	Busy       float64 `json:"busy"`  // share of the time, from 0 to 1
	Delay      float64 `json:"delay"` // seconds that messages waited at most, roughly; 0: none waited
	Turns      uint64  `json:"turns"` // since it is measured
	Dropped    uint64  `json:"dropped"`
	Transports int     `json:"transports"`
}

// Sums are what transports are and have together. Relays count for nothing but their number.
type Sums struct {
	Transports    int     `json:"transports"`
	Relays        int     `json:"relays"`
	Producers     int     `json:"producers"`
	Consumers     int     `json:"consumers"`
	DataProducers int     `json:"dataProducers"`
	DataConsumers int     `json:"dataConsumers"`
	RecvBitrate   uint64  `json:"recvBitrate"`
	SendBitrate   uint64  `json:"sendBitrate"`
	LossIn        float64 `json:"lossIn"`  // of the worst
	LossOut       float64 `json:"lossOut"` // likewise
	EstimateOut   uint64  `json:"estimateOut"`
	RTT           float64 `json:"rtt"`      // the longest
	Troubled      int     `json:"troubled"` // transports out of service, disconnected, or whose DTLS failed or was closed
	None          int     `json:"none"`     // video consumers without a layer to forward
}

func (s *Sums) add(r *Reading) {
	if r.Kind == Relay {
		s.Relays++
		return
	}
	s.Transports++
	s.Producers += r.Producers
	s.Consumers += r.Consumers
	s.DataProducers += r.DataProducers
	s.DataConsumers += r.DataConsumers
	s.RecvBitrate += r.RecvBitrate
	s.SendBitrate += r.SendBitrate
	s.LossIn, s.LossOut, s.RTT = max(s.LossIn, r.LossIn), max(s.LossOut, r.LossOut), max(s.RTT, r.RTT)
	s.EstimateOut = lowest(s.EstimateOut, r.EstimateOut)
	s.None += r.Layers.None
	if r.Troubled() {
		s.Troubled++
	}
}

// Add adds up sums of several processes.
func (s *Sums) Add(o *Sums) {
	s.Transports += o.Transports
	s.Relays += o.Relays
	s.Producers += o.Producers
	s.Consumers += o.Consumers
	s.DataProducers += o.DataProducers
	s.DataConsumers += o.DataConsumers
	s.RecvBitrate += o.RecvBitrate
	s.SendBitrate += o.SendBitrate
	s.LossIn, s.LossOut, s.RTT = max(s.LossIn, o.LossIn), max(s.LossOut, o.LossOut), max(s.RTT, o.RTT)
	s.EstimateOut = lowest(s.EstimateOut, o.EstimateOut)
	s.Troubled += o.Troubled
	s.None += o.None
}

// OwnerSum is an application's.
type OwnerSum struct {
	Owner
	Sums
	Rooms int `json:"rooms"`
}

// RoomSummary is a Router's.
type RoomSummary struct {
	RoomID
	Sums
}

// RelayEnd is one end of a relay.
type RelayEnd struct {
	RoomID
	Local       string `json:"local"`
	Remote      string `json:"remote"`
	RecvBitrate uint64 `json:"recvBitrate"`
	SendBitrate uint64 `json:"sendBitrate"`
	Producers   int    `json:"producers"`
	Consumers   int    `json:"consumers"`
}

// maxRelayEnds is how many a survey has room for. Chosen here: half a megabyte.
const maxRelayEnds = 2000

// Sum fills in what follows from the readings.
func (s *Survey) Sum() {
	rooms, owners := map[RoomID]*RoomSummary{}, map[Owner]*OwnerSum{}
	for i := range s.Readings {
		r := &s.Readings[i]
		room := rooms[r.ID.RoomID]
		owner := owners[r.ID.Owner]
		if owner == nil {
			owner = &OwnerSum{Owner: r.ID.Owner}
			owners[r.ID.Owner] = owner
		}
		if room == nil {
			room = &RoomSummary{RoomID: r.ID.RoomID}
			rooms[r.ID.RoomID] = room
			owner.Rooms++
		}
		room.add(r)
		owner.add(r)
		if r.Kind == Relay {
			s.addRelay(r)
		}
	}
	s.Rooms = len(rooms)
	for _, room := range rooms {
		s.All = append(s.All, *room)
	}
	for _, owner := range owners {
		s.Owners = append(s.Owners, *owner)
	}
	slices.SortFunc(s.All, func(a, b RoomSummary) int { return a.Compare(b.RoomID) })
	slices.SortFunc(s.Owners, func(a, b OwnerSum) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Application, b.Application))
	})
}

// addRelay adds an end of a relay for media. One for data has no addresses: its messages go by a link.
func (s *Survey) addRelay(r *Reading) {
	if r.Local == "" {
		return
	}
	if len(s.Relays) >= maxRelayEnds {
		s.Omitted++
		return
	}
	s.Relays = append(s.Relays, RelayEnd{r.ID.RoomID, r.Local, r.Remote, r.RecvBitrate, r.SendBitrate, r.Producers, r.Consumers})
}

// After returns up to n Routers behind the given one, in their order, and whether there are more.
func (s *Survey) After(id RoomID, n int) (rooms []RoomSummary, more bool) {
	i, found := slices.BinarySearchFunc(s.All, id, func(r RoomSummary, id RoomID) int { return r.Compare(id) })
	if found {
		i++
	}
	end := min(i+n, len(s.All))
	return s.All[i:end], end < len(s.All)
}

// Media returns the transports of a Router that are no relays.
func (s *Survey) Media(room RoomID) (ids []TransportID) {
	for i := range s.Readings {
		if r := &s.Readings[i]; r.ID.RoomID == room && r.Kind != Relay {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// Room is a part of a Router: of the transports that one process has, those behind another one.
type Room struct {
	RoomID
	Transports []Transport  `json:"transports"` // by id
	More       bool         `json:"more,omitempty"`
	History    []RoomSample `json:"history,omitempty"`
}
