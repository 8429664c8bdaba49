// Package reach is how nodes find out which of the others reach them by UDP, before media has to. Sessions and the bus are TCP, so a
// firewall that drops UDP alone shows only when a relay gets nothing.
//
// Each node sends each other one a datagram when it meets it, and then once an [Interval], and answers none. Whoever does not hear a live
// node for [UnheardAfter] says so, and so knows the direction: what is to be opened leads from that node to this one. A [Machine] decides;
// it is pure. A [Prober] is the machine on a socket, which has one of the ports for media, since those are what the firewall is to let
// through.
//
// A datagram holds a digest of the incarnations that its sender and its receiver have told each other on the bus. So nobody on the network
// can make a node believe that it hears another one.
package reach
