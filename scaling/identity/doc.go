// Package identity says who takes part in a cluster: nodes and applications, each known by a certificate of the cluster's own
// certificate authority. It issues the certificates (gazpacho certificates) and makes the TLS configurations that hold
// both ends of a connection to them.
//
// A certificate's subject has the name (common name), the [Role] (organisational unit) and, for applications, the tenant
// (organisation). Host names and addresses play no part: nodes have many, and they change.
//
// Everything is read from one folder: ca.pem, the certificates and keys, and denied.txt with the serial numbers that are not
// accepted any more. Files that change count from the next connection on; no process has to restart.
package identity
