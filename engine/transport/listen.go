package transport

import (
	"errors"
	"net/netip"

	"gazpacho/engine/api"
	"gazpacho/engine/netio"
	"gazpacho/engine/wire/rtp"
)

// listen opens the endpoint of a ListenInfo for a transport that has UDP only. Use is "listen" or "RTCP listen", for the error.
func listen(info *api.ListenInfo, use string, env *Env) (endpoint, error) {
	if info.Protocol != api.ProtocolUDP {
		return endpoint{}, api.TypeErrorf("unsupported %s protocol", use)
	}
	socket, err := ListenUDP(info, env)
	if err != nil {
		return endpoint{}, err
	}
	return endpoint{socket: socket, announced: info.AnnouncedAddress}, nil
}

// ListenUDP opens the socket of a ListenInfo. The error is for the application.
func ListenUDP(info *api.ListenInfo, env *Env) (Socket, error) {
	cfg, err := listenConfig(info, env)
	if err != nil {
		return nil, err
	}
	socket, err := env.Listen(cfg)
	if err != nil {
		return nil, bindError(err)
	}
	return socket, nil
}

// ListenTCP opens the TCP port of a ListenInfo. The error is for the application.
func ListenTCP(info *api.ListenInfo, env *Env) (*netio.TCPServer, error) {
	cfg, err := listenConfig(info, env)
	if err != nil {
		return nil, err
	}
	server, err := env.ListenTCP(netio.TCPConfig{
		Address: cfg.Address, Port: cfg.Port, PortMin: cfg.PortMin, PortMax: cfg.PortMax, IPv6Only: cfg.IPv6Only,
		SendBufferSize: cfg.SendBufferSize, RecvBufferSize: cfg.RecvBufferSize,
		MinFrame: rtp.FixedHeaderLen, // STUN, DTLS and SRTCP need more
	})
	if err != nil {
		return nil, bindError(err)
	}
	return server, nil
}

// listenConfig reads a ListenInfo: a port range takes precedence over a port; without either, the worker's own range is used.
func listenConfig(info *api.ListenInfo, env *Env) (netio.UDPConfig, error) {
	address, err := parseIP(info.IP)
	if err != nil {
		return netio.UDPConfig{}, err
	}
	cfg := netio.UDPConfig{
		Address: address, Port: info.Port,
		SendBufferSize: int(info.SendBufferSize), RecvBufferSize: int(info.RecvBufferSize),
	}
	if info.Flags != nil {
		cfg.ReusePort, cfg.IPv6Only = info.Flags.UDPReusePort, info.Flags.IPv6Only
	}
	switch {
	case info.PortRange != nil && info.PortRange.Min != 0 && info.PortRange.Max != 0:
		cfg.Port, cfg.PortMin, cfg.PortMax = 0, info.PortRange.Min, info.PortRange.Max
	case info.Port == 0:
		cfg.PortMin, cfg.PortMax = env.RTCMinPort, env.RTCMaxPort
	}
	return cfg, nil
}

func bindError(err error) error {
	var bind *netio.BindError
	if errors.As(err, &bind) && bind.Reason == netio.BindInvalidRange {
		return api.TypeErrorf("%v", err)
	}
	return api.Errorf("%v", err)
}

// parseIP reads an IP address given by the application. IPv4-mapped IPv6 addresses become IPv4.
func parseIP(s string) (netip.Addr, error) {
	address, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}, api.TypeErrorf("invalid IP '%s'", s)
	}
	return address.Unmap(), nil
}

// IPString returns the IP address for others: without the zone of a link-local one, which means nothing on other hosts.
func IPString(address netip.AddrPort) string { return address.Addr().WithZone("").String() }
