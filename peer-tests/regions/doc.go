// Package regions tests a cluster over two regions: nodes on hosts that are network namespaces, two in each region, behind NAT for who
// comes from elsewhere. What crosses between the regions goes through these tests, which delay and count it. `make regions` makes the
// hosts and runs the tests on another one, where the peers are.
package regions
