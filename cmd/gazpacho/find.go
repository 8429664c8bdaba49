package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"gazpacho/scaling/remote"
)

const findAbout = `Usage: gazpacho find [OPTION…] PRODUCER

Says on which node a producer or data producer is, and of which application and Router, whichever tenant it belongs to. Any node of the
cluster can be asked. If there is none, the exit code is 1.`

// maxProducerID is how long an id may be: a question to a node has room for so much.
const maxProducerID = 400

// runFind is the command "find".
func runFind(args []string, stdout, _ io.Writer) error {
	s := newSettings("find", findAbout)
	var a access
	a.define(s)
	tenant := s.flags.String("tenant", "", "`name` of the only tenant to look at")
	asJSON := s.flags.Bool("json", false, "print JSON")
	rest, err := s.parse(args, stdout)
	switch {
	case err != nil:
		return err
	case len(rest) != 1 || rest[0] == "" || len(rest[0]) > maxProducerID:
		return usagef("name one producer by its id")
	}
	config, err := a.open()
	if err != nil {
		return err
	}
	found, silent := find(a.cluster, config, rest[0], *tenant)
	switch {
	case len(found) > 0:
		return printPlaces(stdout, found, *asJSON)
	case len(silent) > 0:
		return fmt.Errorf("no node that answers has producer %s; these do not: %s", rest[0], strings.Join(silent, "; "))
	}
	return fmt.Errorf("there is no producer %s", rest[0])
}

// find asks the nodes that are named, one after the other as these may not know of each other, until one of them knows. It also returns
// which nodes have not answered, with the reason.
func find(cluster []string, config *tls.Config, producerID, tenant string) (found []remote.Place, silent []string) {
	for _, address := range cluster {
		p, err := remote.AskFind(context.Background(), address, config, producerID)
		if err != nil {
			silent = append(silent, fmt.Sprintf("%s: %v", address, err))
		}
		silent = append(silent, p.Unasked...)
		for _, place := range p.Found {
			if tenant == "" || place.Tenant == tenant {
				found = append(found, place)
			}
		}
		if len(found) > 0 {
			return found, nil
		}
	}
	return nil, silent
}

func printPlaces(w io.Writer, places []remote.Place, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(places)
	}
	t := tabwriter.NewWriter(printable{w}, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NODE\tAPPLICATION\tTENANT\tROUTER")
	for _, p := range places {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", p.Node, p.Application, cmp.Or(p.Tenant, "-"), p.Router)
	}
	return t.Flush()
}

// printDirectory prints a table of the nodes' parts in the directory of producers, if they have one.
func printDirectory(w io.Writer, rows []nodeRow) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	title := "\nNODE\tREGISTERED\tHELD\tLOOK-UPS\tABSENT\tFAILED\tLOST MESSAGES\n"
	for _, r := range rows {
		if r.Status == nil || r.Status.Directory == nil {
			continue
		}
		d := r.Status.Directory
		fmt.Fprintf(t, "%s%s\t%d\t%d\t%d\t%d\t%d\t%d\n", title, r.Status.Name, d.Registered, d.Held, d.Lookups, d.Absent, d.Failed, d.Lost)
		title = ""
	}
	return t.Flush()
}
