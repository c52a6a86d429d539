package chaos

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
)

// Network is a little Internet inside one process: names with public addresses that lead to listeners on this machine.
// A client that looks names up and connects through it works with its guard against private addresses up. Names and
// addresses that it does not have do not exist. It is safe for use by many goroutines.
type Network struct {
	mu      sync.Mutex
	last    netip.Addr
	names   map[string][]answer
	lookups map[string]int
	routes  map[netip.Addr]string
}

// answer is what one look-up brings.
type answer struct {
	addrs []netip.Addr
	err   error
}

// NewNetwork is a network without hosts.
func NewNetwork() *Network {
	return &Network{
		last: netip.MustParseAddr("93.184.0.0"), names: make(map[string][]answer),
		lookups: make(map[string]int), routes: make(map[netip.Addr]string),
	}
}

// Host gives name a public address of its own, whose every port leads to the listener at the given address, and returns
// it. An empty listener is a host that never answers.
func (n *Network) Host(name, listener string) netip.Addr {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.last = n.last.Next()
	n.routes[n.last] = listener
	n.names[name] = []answer{{addrs: []netip.Addr{n.last}}}
	return n.last
}

// Answer sets what the first, the second, ... look-up of name brings; the last one is repeated.
func (n *Network) Answer(name string, each ...[]netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.names[name] = nil
	for _, addrs := range each {
		n.names[name] = append(n.names[name], answer{addrs: addrs})
	}
}

// Fail makes look-ups of name fail for want of an answer from its name server.
func (n *Network) Fail(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.names[name] = []answer{{err: &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}}}
}

// Lookups is how often name was looked up.
func (n *Network) Lookups(name string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lookups[name]
}

// LookupNetIP looks a name up as net.Resolver does.
func (n *Network) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	answers := n.names[host]
	if len(answers) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	at := min(n.lookups[host], len(answers)-1)
	n.lookups[host]++
	return answers[at].addrs, answers[at].err
}

// Connect connects to an address as net.Dialer does. One that is this machine's own is reached too, so that a guard that
// lets it pass is found out.
func (n *Network) Connect(ctx context.Context, network, address string) (net.Conn, error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, fmt.Errorf("connect to %q: only addresses are connected to: %w", address, err)
	}
	n.mu.Lock()
	listener, known := n.routes[to.Addr()]
	n.mu.Unlock()
	switch {
	case !known && to.Addr().IsLoopback():
		listener = address
	case listener == "":
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Net: network, Addr: net.TCPAddrFromAddrPort(to), Err: context.Cause(ctx)}
	}
	var d net.Dialer
	return d.DialContext(ctx, network, listener)
}
