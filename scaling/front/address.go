package front

import (
	"net/netip"
	"slices"

	"gazpacho/engine/api"
)

// isLoopback says whether an address means the same on one host only.
func isLoopback(ip string) bool {
	a, err := netip.ParseAddr(ip)
	return err == nil && a.Unmap().IsLoopback()
}

func anyLoopback(infos []api.ListenInfo) bool {
	return slices.ContainsFunc(infos, func(i api.ListenInfo) bool { return isLoopback(i.IP) })
}
