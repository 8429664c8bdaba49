package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"gazpacho/scaling/identity"
	"gazpacho/scaling/membership"
	"gazpacho/scaling/remote"
)

const statusAbout = `Usage: gazpacho status [OPTION…]

Shows all nodes of the cluster, their load, and the applications on them. It asks the nodes that --cluster names, each of which tells
of all that it knows. A node that does not answer is shown with the reason; the exit code is then 1.`

// nodeRow is what is known of a node, and what it answers, or why there is no answer.
type nodeRow struct {
	Address string `json:"address"`
	remote.NodeStatus
}

// access are the options of commands that ask nodes.
type access struct {
	cluster      list
	folder, name string
}

func (a *access) define(s *settings) {
	s.flags.Var(&a.cluster, "cluster", "`addresses` of nodes, separated by commas: host, host:port or unix:/path/to/socket")
	s.flags.StringVar(&a.folder, "tls-dir", "", "`folder` with ca.pem and an operator's certificate, for nodes on other hosts")
	s.flags.StringVar(&a.name, "name", "", "`name` in the certificate to use, if the folder has several operators")
}

// open returns how nodes are reached.
func (a *access) open() (*tls.Config, error) {
	if len(a.cluster) == 0 {
		return nil, usagef("name the nodes to ask: --cluster host1:7000,host2:7000")
	}
	for i := range a.cluster {
		a.cluster[i] = remote.WithPort(a.cluster[i], remote.DefaultPort)
	}
	if a.folder == "" {
		return nil, nil
	}
	credentials, err := identity.Load(a.folder, identity.Operator, a.name)
	if err != nil {
		return nil, err
	}
	return credentials.Client(identity.Node), nil
}

// runStatus is the command "status".
func runStatus(args []string, stdout, _ io.Writer) error {
	s := newSettings("status", statusAbout)
	var a access
	a.define(s)
	asJSON := s.flags.Bool("json", false, "print JSON")
	rest, err := s.parse(args, stdout)
	switch {
	case err != nil:
		return err
	case len(rest) > 0:
		return usagef("unknown argument %q", rest[0])
	}
	config, err := a.open()
	if err != nil {
		return err
	}
	rows := askAll(a.cluster, config)
	if *asJSON {
		e := json.NewEncoder(stdout)
		e.SetIndent("", "  ")
		err = e.Encode(rows)
	} else {
		err = printStatus(stdout, rows)
	}
	if err != nil {
		return err
	}
	for _, r := range rows {
		if r.Error != "" {
			return fmt.Errorf("%s: %s", cmp.Or(r.Name, r.Address), r.Error)
		}
	}
	return nil
}

// askAll asks all nodes that are named for all nodes that they know, and returns a row for each node.
func askAll(cluster []string, config *tls.Config) []nodeRow {
	answers := make([][]nodeRow, len(cluster))
	var asking sync.WaitGroup
	for i, address := range cluster {
		asking.Go(func() {
			all, err := remote.AskCluster(context.Background(), address, config)
			if err != nil {
				answers[i] = []nodeRow{{address, remote.NodeStatus{Error: err.Error()}}}
				return
			}
			for _, n := range all {
				row := nodeRow{address, n} // a node by itself does not know its address
				if len(n.Addresses) > 0 {
					row.Address = n.Addresses[0]
				}
				answers[i] = append(answers[i], row)
			}
		})
	}
	asking.Wait()
	return merge(slices.Concat(answers...))
}

// merge leaves one row of each node, one with an answer if there is any.
func merge(rows []nodeRow) (merged []nodeRow) {
	for _, r := range rows {
		i := slices.IndexFunc(merged, func(have nodeRow) bool { return have.Name == r.Name && have.Address == r.Address })
		switch {
		case i < 0:
			merged = append(merged, r)
		case merged[i].Status == nil:
			merged[i] = r
		}
	}
	return merged
}

// printStatus prints tables: of nodes, of the applications on them, and of the links between them.
func printStatus(w io.Writer, rows []nodeRow) error {
	for _, print := range []func(io.Writer, []nodeRow) error{printNodes, printFronts, printLinks, printUnheard, printDirectory, printSignals} {
		if err := print(printable{w}, rows); err != nil {
			return err
		}
	}
	return nil
}

// printNodes prints a table of what nodes tell of themselves: those that do not answer now, in their last heartbeat.
func printNodes(w io.Writer, rows []nodeRow) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NODE\tADDRESS\tSTATE\tVERSION\tLABELS\tCPU\tNETWORK\tASSUMED\tIN P/S\tKBIT/S\tOUT P/S\tKBIT/S\tFRONTS\tROUTERS\tTRANSPORTS")
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%s\t%s", cmp.Or(r.Name, "?"), r.Address, r.state())
		if r.Name != "" {
			l := &r.Load
			fmt.Fprintf(t, "\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d", r.Version, labels(r.Labels), percent(l.CPU), percent(l.Network), percent(l.Assumed),
				l.In.Packets, l.In.Kilobits, l.Out.Packets, l.Out.Kilobits, l.Fronts, l.Routers, l.Transports)
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

// labels shows labels as they are written in commands.
func labels(all map[string]string) string {
	var texts []string
	for _, k := range slices.Sorted(maps.Keys(all)) {
		texts = append(texts, k+"="+all[k])
	}
	return strings.Join(texts, ",")
}

// printFronts prints a table of the applications' workers on nodes, if there are any.
func printFronts(w io.Writer, rows []nodeRow) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	title := "\nNODE\tAPPLICATION\tCONNECTED\tROUTERS\tTRANSPORTS\tPRODUCERS\tCONSUMERS\n"
	for _, r := range rows {
		if r.Status == nil {
			continue
		}
		for _, f := range r.Status.Fronts {
			fmt.Fprintf(t, "%s%s\t%s\t%s\t%d\t%d\t%d\t%d\n", title, r.Status.Name, f.Application, yesNo(f.Connected),
				f.Load.Routers, f.Load.Transports, f.Load.Producers, f.Load.Consumers)
			title = ""
		}
	}
	return t.Flush()
}

// state is what the cluster thinks of a node, in a few words.
func (r *nodeRow) state() string {
	switch {
	case r.Error != "" && r.Condition == membership.Alive, r.Condition == "":
		return "unreachable"
	case r.Namesake:
		return "two of this name"
	case r.Draining:
		return "draining"
	}
	return string(r.Condition)
}

// printLinks prints a table of the links by which nodes send each other data, if there are any.
func printLinks(w io.Writer, rows []nodeRow) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	title := "\nNODE\tDATA\tCONNECTED\tDATA PRODUCERS\tMESSAGES\tBYTES\tWAITING\tLOST\n"
	for _, r := range rows {
		if r.Status == nil {
			continue
		}
		for _, l := range r.Status.Links {
			where := "to " + l.To
			if l.From != "" {
				where = "from " + l.From
			}
			fmt.Fprintf(t, "%s%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\n", title, r.Status.Name, where, yesNo(l.Connected), l.Streams, l.Messages,
				l.Bytes, l.Waiting, l.Lost)
			title = ""
		}
	}
	return t.Flush()
}

// printUnheard prints what a firewall between two nodes has to let through, if nothing comes.
func printUnheard(w io.Writer, rows []nodeRow) (err error) {
	title := "\nMedia between these nodes takes another way, or none, since UDP does not arrive. Open it in the firewalls between them:\n"
	for _, r := range rows {
		if r.Status == nil {
			continue
		}
		for _, u := range r.Status.Unheard {
			_, err = fmt.Fprintf(w, "%sfrom %s (node %s) to %s (node %s), UDP ports %s\n", title, u.From, u.Node, u.To, r.Status.Name, r.Status.Ports)
			title = ""
		}
	}
	return err
}

// printSignals prints what lasts that whoever starts and stops nodes should know, as the node that tells has it.
func printSignals(w io.Writer, rows []nodeRow) (err error) {
	for _, r := range rows {
		if !r.Tells || r.Condition != membership.Alive {
			continue
		}
		for _, s := range r.Signals {
			if !s.Over && err == nil {
				_, err = fmt.Fprintf(w, "\n%s: %s, since %s", s.Kind, cmp.Or(s.Node, "region "+cmp.Or(s.Region, "without a name")), time.Unix(s.Since, 0).Format(time.DateTime))
			}
		}
		if len(r.Signals) > 0 && err == nil {
			_, err = fmt.Fprintln(w)
		}
	}
	return err
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func percent(fraction float64) string { return fmt.Sprintf("%.0f %%", 100*fraction) }
