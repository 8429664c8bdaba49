package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"
	"text/tabwriter"

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

// printStatus prints a table of nodes and one of the applications on them.
func printStatus(w io.Writer, rows []nodeRow) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NODE\tADDRESS\tSTATE\tCPU\tAPPLICATION\tCONNECTED\tROUTERS\tTRANSPORTS\tPRODUCERS\tCONSUMERS")
	for _, r := range rows {
		begin := fmt.Sprintf("%s\t%s\t%s", cmp.Or(r.Name, "?"), r.Address, r.state())
		switch {
		case r.Status == nil:
			fmt.Fprintf(t, "%s\t\t\t\t\t\t\t\n", begin)
		case len(r.Status.Fronts) == 0:
			fmt.Fprintf(t, "%s\t%s\t\t\t\t\t\t\n", begin, percent(r.Status.CPU))
		default:
			for _, f := range r.Status.Fronts {
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\n", begin, percent(r.Status.CPU), f.Application, yesNo(f.Connected),
					f.Load.Routers, f.Load.Transports, f.Load.Producers, f.Load.Consumers)
			}
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if err := printLinks(w, rows); err != nil {
		return err
	}
	return printDirectory(w, rows)
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

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func percent(fraction float64) string { return fmt.Sprintf("%.0f %%", 100*fraction) }
