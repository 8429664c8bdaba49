package directory

import (
	"maps"
	"slices"

	"gazpacho/engine/unit"
)

// lookup is a look-up that has no result yet.
type lookup struct {
	key    Key
	asked  holders
	absent [2]bool // those of these that do not have it
	again  unit.Time
	until  unit.Time
}

// Lookup looks for an entry. The result comes with the output, now or later, with the token.
func (d *Directory) Lookup(now unit.Time, k Key) (token uint64, err error) {
	switch {
	case (&Entry{Key: k}).wireLen() > entryLen+maxEntry:
		return 0, ErrTooLong
	case len(d.lookups) >= maxLookups:
		return 0, ErrBusy
	}
	d.lastToken++
	l := &lookup{key: k, until: now.Add(giveUp)}
	d.lookups[d.lastToken] = l
	token = d.lastToken
	d.ask(now, token, l)
	return token, nil
}

// ask asks both holders.
func (d *Directory) ask(now unit.Time, token uint64, l *lookup) {
	l.asked, l.again = d.holders(&l.key), min(now.Add(askAgain), l.until)
	d.nextAsk = min(d.nextAsk, l.again)
	l.absent = [2]bool{false, l.asked[1] == nil}
	for _, p := range l.asked {
		if p != nil {
			d.send(now, p, Message{Kind: Query, Token: token, Entries: []Entry{{Key: l.key}}})
		}
	}
}

// take takes an answer.
func (d *Directory) take(p *peer, m *Message) {
	l := d.lookups[m.Token]
	if l == nil || !l.asked.has(p) {
		return
	}
	if len(m.Entries) == 1 && m.Entries[0].Key == l.key {
		d.finish(m.Token, Found, m.Entries[0])
		return
	}
	if m.Unsure {
		return
	}
	for i := range l.asked {
		l.absent[i] = l.absent[i] || l.asked[i] == p
	}
	if l.absent == [2]bool{true, true} {
		d.finish(m.Token, Absent, Entry{})
	}
}

// askLate asks again for what has no result yet, or gives it up.
func (d *Directory) askLate(now unit.Time) {
	d.nextAsk = unit.Never
	for _, token := range slices.Sorted(maps.Keys(d.lookups)) {
		switch l := d.lookups[token]; {
		case now >= l.until:
			d.finish(token, Failed, Entry{})
		case now >= l.again:
			d.ask(now, token, l)
		default:
			d.nextAsk = min(d.nextAsk, l.again)
		}
	}
	d.nextAsk = max(d.nextAsk, now.Add(askTick))
}

func (d *Directory) finish(token uint64, s Status, e Entry) {
	delete(d.lookups, token)
	d.out.Results = append(d.out.Results, Result{token, s, e})
}
