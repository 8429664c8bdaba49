package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"text/tabwriter"

	"gazpacho/scaling/identity"
	"gazpacho/scaling/remote"
)

const statusAbout = `Usage: gazpacho status [OPTION…]

Asks each node of the cluster, and shows its load and the applications on it. A node that does not answer is shown with the
reason; the exit code is then 1.`

// nodeRow is a node's answer, or why there is none.
type nodeRow struct {
	Address string         `json:"address"`
	Status  *remote.Status `json:"status,omitempty"`
	Error   string         `json:"error,omitempty"`
}

// runStatus is the command "status".
func runStatus(args []string, stdout, _ io.Writer) error {
	s := newSettings("status", statusAbout)
	var cluster list
	s.flags.Var(&cluster, "cluster", "`addresses` of nodes, separated by commas: host:port or unix:/path/to/socket")
	folder := s.flags.String("tls-dir", "", "`folder` with ca.pem and an operator's certificate, for nodes on other hosts")
	name := s.flags.String("name", "", "`name` in the certificate to use, if the folder has several operators")
	asJSON := s.flags.Bool("json", false, "print JSON")
	rest, err := s.parse(args, stdout)
	switch {
	case err != nil:
		return err
	case len(rest) > 0:
		return usagef("unknown argument %q", rest[0])
	case len(cluster) == 0:
		return usagef("name the nodes to ask: --cluster host1:7000,host2:7000")
	}
	rows, err := askAll(cluster, *folder, *name)
	if err != nil {
		return err
	}
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
			return fmt.Errorf("%s: %s", r.Address, r.Error)
		}
	}
	return nil
}

// askAll asks all nodes at once.
func askAll(cluster []string, folder, name string) ([]nodeRow, error) {
	var credentials *identity.Credentials
	if folder != "" {
		var err error
		if credentials, err = identity.Load(folder, identity.Operator, name); err != nil {
			return nil, err
		}
	}
	rows := make([]nodeRow, len(cluster))
	var group sync.WaitGroup
	for i, address := range cluster {
		group.Go(func() {
			rows[i].Address = address
			status, err := askNode(address, credentials)
			if err != nil {
				rows[i].Error = err.Error()
				return
			}
			rows[i].Status = &status
		})
	}
	group.Wait()
	return rows, nil
}

func askNode(address string, credentials *identity.Credentials) (remote.Status, error) {
	if credentials == nil {
		return remote.AskStatus(context.Background(), address, nil)
	}
	return remote.AskStatus(context.Background(), address, credentials.Client(identity.Node))
}

// printStatus prints a table of nodes and one of the applications on them.
func printStatus(w io.Writer, rows []nodeRow) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NODE\tADDRESS\tCPU\tAPPLICATION\tCONNECTED\tROUTERS\tTRANSPORTS\tPRODUCERS\tCONSUMERS")
	for _, r := range rows {
		switch {
		case r.Status == nil:
			fmt.Fprintf(t, "?\t%s\t\t\t\t\t\t\t\n", r.Address)
		case len(r.Status.Fronts) == 0:
			fmt.Fprintf(t, "%s\t%s\t%s\t\t\t\t\t\t\n", r.Status.Name, r.Address, percent(r.Status.CPU))
		}
		if r.Status == nil {
			continue
		}
		for _, f := range r.Status.Fronts {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\n", r.Status.Name, r.Address, percent(r.Status.CPU), f.Application, yesNo(f.Connected),
				f.Load.Routers, f.Load.Transports, f.Load.Producers, f.Load.Consumers)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return printLinks(w, rows)
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
