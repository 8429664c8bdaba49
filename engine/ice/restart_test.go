package ice_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/ice"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/stun"
)

func (r *fixture) restarts(fragment, password string) {
	r.Restart(r.now, fragment, password)
	r.drain()
	require.Equal(r.t, fragment, r.UsernameFragment())
	require.Equal(r.t, password, r.Password())
}

// The application restarts ICE; the browser uses the old credentials until it receives the new ones.
func TestDialogueOfARestart(t *testing.T) {
	r := bringTo(t, ice.Completed)
	r.now = r.now.Add(20 * time.Second)
	r.restarts("second", "password 2")
	r.wantOutput(ice.Output{AddedFragments: []string{"second"}})
	require.Equal(t, ice.Completed, r.State(), "media goes on")
	r.wantSelected(tuple(1))
	require.Equal(t, r.now.Add(30*time.Second), r.NextTimeout(), "time for signalling")

	// A check with the old credentials, answered with the old password.
	m := r.sends(tuple(1), request(fragment, password))
	require.Equal(t, stun.SuccessResponse, m.Class)
	require.True(t, m.Verify(stun.NewKey(password)))
	r.wantNothing()

	// Each password is valid with its own fragment only.
	r.wantRefused(401, r.sends(tuple(2), request(fragment, "password 2")))
	r.wantRefused(401, r.sends(tuple(2), request("second", password)))

	// The first check with the new credentials invalidates the old ones.
	m = r.sends(tuple(2), request("second", "password 2", nomination(1)))
	require.Equal(t, stun.SuccessResponse, m.Class)
	require.True(t, m.Verify(stun.NewKey("password 2")))
	r.wantOutput(ice.Output{RemovedFragments: []string{fragment}, AddedTuples: []ice.Tuple{tuple(2)}, SelectedTuples: []ice.Tuple{tuple(2)}})
	r.wantRefused(401, r.sends(tuple(1), request(fragment, password)))
	r.checks(tuple(1))
	r.wantNothing()
}

// After two restarts in a row the browser may use the second and the third credentials.
func TestRestartTwice(t *testing.T) {
	r := bringTo(t, ice.Connected)
	r.restarts("second", "password 2")
	r.restarts("third", "password 3")
	r.wantOutput(ice.Output{RemovedFragments: []string{fragment}, AddedFragments: []string{"third"}})
	r.wantRefused(401, r.sends(tuple(1), request(fragment, password)))
	require.Equal(t, stun.SuccessResponse, r.sends(tuple(1), request("second", "password 2")).Class)
	r.checks(tuple(1))
	r.wantOutput(ice.Output{RemovedFragments: []string{"second"}})
}

func TestRestartBeforeConnection(t *testing.T) {
	r := newFixture(t, 30*time.Second)
	r.restarts("second", "password 2")
	require.Equal(t, unit.Never, r.NextTimeout())
	require.Equal(t, api.ICEStateNew, r.State())
	r.sends(tuple(1), request(fragment, password))
	require.Equal(t, ice.Connected, r.State(), "the old credentials can still connect")
}

// An authentic request shows that the peer has the new credentials, even if it is refused.
func TestRestartSeenByRefusedRequest(t *testing.T) {
	r := bringTo(t, ice.Completed)
	r.restarts("second", "password 2")
	r.wantRefused(487, r.sends(tuple(1), request("second", "password 2", controlled)))
	r.wantOutput(ice.Output{RemovedFragments: []string{fragment}})
}
