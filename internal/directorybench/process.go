package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"gazpacho/scaling/identity"
)

// process is a node.
type process struct {
	name, address string
	cmd           *exec.Cmd
}

// start starts nodes, of which the first have a server of the bus.
func start(folder string, names []string, servers int) (nodes []*process, err error) {
	join, err := freePorts(servers)
	if err != nil {
		return nil, err
	}
	var outputs []io.Reader
	for i, name := range names {
		args := []string{"-node", name, "-tls-dir", folder, "-listen", "127.0.0.1:0", "-join", strings.Join(join, ",")}
		if i < servers {
			args = append(args, "-bus-address", join[i])
		}
		p := &process{name: name, cmd: exec.Command(os.Args[0], args...)}
		p.cmd.Stderr = os.Stderr
		out, err := p.cmd.StdoutPipe()
		if err == nil {
			err = p.cmd.Start()
		}
		if err != nil {
			return nodes, err
		}
		nodes, outputs = append(nodes, p), append(outputs, out)
	}
	for i, out := range outputs { // they join together, and are ready then
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			return nodes, fmt.Errorf("node %s has ended", names[i])
		}
		nodes[i].address = strings.TrimSpace(line)
	}
	return nodes, nil
}

// kill kills the process, as a power cut would.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// freePorts returns addresses whose ports are free, as are the next ones.
func freePorts(count int) (all []string, err error) {
	for len(all) < count {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		next, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", l.Addr().(*net.TCPAddr).Port+1))
		if err == nil {
			next.Close()
			all = append(all, l.Addr().String())
		}
	}
	return all, nil
}

// certificates makes those of the nodes and of an application, and returns the application's.
func certificates(folder string, names []string) (application *tls.Config, err error) {
	now := time.Now()
	if err := identity.CreateAuthority(folder, now); err != nil {
		return nil, err
	}
	all := []identity.Identity{{Role: identity.Application, Name: "bench", Tenant: "bench"}}
	for _, name := range names {
		all = append(all, identity.Identity{Role: identity.Node, Name: name})
	}
	for _, who := range all {
		if _, _, err := identity.Issue(folder, who, now); err != nil {
			return nil, err
		}
	}
	credentials, err := identity.Load(folder, identity.Application, "bench")
	if err != nil {
		return nil, err
	}
	return credentials.Client(identity.Node), nil
}

// cpu returns the CPU time that a process has used.
func (p *process) cpu() time.Duration {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	ticks := 0
	for _, f := range fields[11:13] { // user and system time, in hundredths of a second
		n, _ := strconv.Atoi(string(f))
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// memory returns how many bytes of memory a process has that are no file's.
func (p *process) memory() int {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			n, _ := strconv.Atoi(strings.Fields(rest)[0])
			return n << 10
		}
	}
	return 0
}

// each adds up what all processes have.
func each[T int | time.Duration](nodes []*process, of func(p *process) T) (sum T) {
	for _, p := range nodes {
		sum += of(p)
	}
	return sum
}
