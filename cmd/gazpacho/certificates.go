package main

import (
	"fmt"
	"io"
	"time"

	"gazpacho/scaling/identity"
)

const certificatesAbout = `Usage: gazpacho certificates [OPTION…] ca
       gazpacho certificates [OPTION…] node NAME
       gazpacho certificates [OPTION…] app NAME
       gazpacho certificates [OPTION…] operator NAME

Makes what a cluster's hosts know each other by. 'ca' makes the certificate authority, once; keep its key, ca-key.pem, off the
hosts that do not need it. The others make, or renew, the certificate and key of one node, application or operator: copy them
to its host, together with ca.pem. Renewed files count from the next connection on.

A certificate that has got into wrong hands is refused once its serial number stands in denied.txt, beside ca.pem, on each node.`

// runCertificates is the command "certificates".
func runCertificates(args []string, stdout, _ io.Writer) error {
	s := newSettings("certificates", certificatesAbout)
	folder := s.flags.String("tls-dir", "gazpacho-tls", "`folder` for certificates and keys")
	tenant := s.flags.String("tenant", "", "`name` of the tenant of an application: applications of one tenant may see each other's producers (default: the application's name)")
	rest, err := s.parse(args, stdout)
	if err != nil {
		return err
	}
	now := time.Now()
	switch {
	case len(rest) == 1 && rest[0] == "ca":
		if err := identity.CreateAuthority(*folder, now); err != nil {
			return err
		}
		fmt.Fprintf(stdout, "certificate authority made in %s\n", *folder)
		return nil
	case len(rest) != 2 || rest[0] == "ca":
		return usagef("name what to make: ca, node NAME, app NAME or operator NAME")
	}
	who := identity.Identity{Name: rest[1]}
	switch rest[0] {
	case "node":
		who.Role = identity.Node
	case "app":
		who.Role, who.Tenant = identity.Application, *tenant
		if who.Tenant == "" {
			who.Tenant = who.Name
		}
	case "operator":
		who.Role = identity.Operator
	default:
		return usagef("there are certificates of ca, node, app and operator, not of %q", rest[0])
	}
	certificate, key, err := identity.Issue(*folder, who, now)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s\n%s\n", certificate, key)
	return nil
}
