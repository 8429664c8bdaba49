package identity

import (
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"
)

// Role says what the holder of a certificate may do.
type Role string

// Roles. A node accepts sessions of applications, and speaks with other nodes; an application opens sessions; an operator asks
// nodes for their status and drains them.
const (
	Node        Role = "node"
	Application Role = "application"
	Operator    Role = "operator"
)

// Identity is the holder of a certificate.
type Identity struct {
	Role    Role
	Name    string
	Tenant  string    // of an application: applications of one tenant may see each other's producers
	Expires time.Time // when the certificate ends
}

// String returns the identity for logs.
func (i Identity) String() string { return string(i.Role) + " " + i.Name }

// names are what a name or tenant may look like: it becomes part of file names, logs and metrics. Workers without a cluster never need it.
var names = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$`) })

// CheckName refuses what cannot be a name.
func CheckName(name string) error {
	if !names().MatchString(name) {
		return fmt.Errorf("%q is no name: 1 to 63 letters, digits, dots, hyphens and underscores, and it begins with a letter or digit", name)
	}
	return nil
}

// Of returns the identity in a certificate.
func Of(c *x509.Certificate) (Identity, error) {
	s := c.Subject
	if len(s.OrganizationalUnit) != 1 {
		return Identity{}, errors.New("the certificate names no role (organisational unit)")
	}
	i := Identity{Role: Role(s.OrganizationalUnit[0]), Name: s.CommonName, Expires: c.NotAfter}
	if i.Role != Node && i.Role != Application && i.Role != Operator {
		return Identity{}, fmt.Errorf("the certificate's role %q is none of %q, %q and %q", i.Role, Node, Application, Operator)
	}
	if err := CheckName(i.Name); err != nil {
		return Identity{}, err
	}
	if len(s.Organization) > 0 {
		i.Tenant = s.Organization[0]
	}
	return i, nil
}
