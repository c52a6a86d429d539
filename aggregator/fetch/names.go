package fetch

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"time"
)

const (
	// nameTTL is how long the addresses of a name are used: as long as most publishers' records allow, since the
	// resolver of the system does not say. It also bounds how long a name is remembered for nothing.
	nameTTL = 2 * time.Minute
	// missingTTL is the same for a name that does not exist, failedTTL for one whose look-up failed.
	missingTTL = 30 * time.Second
	failedTTL  = 3 * time.Second
	// maxNames bounds how many names are remembered in each of the two generations.
	maxNames = 8192
)

// names looks up host names and remembers the answers. Nothing that the guard relies on is here: it checks the address
// that a socket connects to, wherever that comes from.
//
// What is remembered is in two generations. A new name goes to the younger one; when that is full, or a nameTTL old, it
// becomes the older one, and what was the older one is forgotten. So there is nothing to sort and nothing to sweep.
type names struct {
	resolver Resolver
	timeout  time.Duration
	now      func() time.Time

	mu           sync.Mutex
	young, older map[string]*name
	turned       time.Time
}

// name is one look-up, under way until done is closed.
type name struct {
	done chan struct{}
	// addrs and err may be read when done is closed, expires (zero while it is under way) under the lock.
	addrs   []netip.Addr
	err     error
	expires time.Time
}

func newNames(o Options) *names {
	return &names{resolver: o.Resolver, timeout: o.ConnectTimeout, now: o.Now, young: make(map[string]*name)}
}

// addresses are those of host, at least one, in the order in which to try them. Who asks for a name that is being
// looked up waits for that look-up, which goes on when the one that began it gives up.
func (n *names) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	entry := n.find(ctx, host)
	select {
	case <-entry.done:
		return entry.addrs, entry.err
	case <-ctx.Done():
		return nil, &net.DNSError{Err: "look-up took too long", Name: host, IsTimeout: true}
	}
}

// Address is the address that a request to the URL goes to first, where that is known and public: one of IPv4, or the
// network of one of IPv6 (64 bits, which one customer has at least). It is empty otherwise. It may look the name up, as the
// request would.
func (c *Client) Address(ctx context.Context, rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil || u.Hostname() == "" {
		return ""
	}
	addr, err := netip.ParseAddr(u.Hostname())
	if err != nil {
		addrs, err := c.names.addresses(ctx, u.Hostname())
		if err != nil {
			return ""
		}
		addr = addrs[0]
	}
	if notPublic(addr) != "" {
		return ""
	}
	return Network(addr)
}

// Network is how Address names an address.
func Network(addr netip.Addr) string {
	addr = addr.WithZone("").Unmap()
	if addr.Is4() {
		return addr.String()
	}
	network, _ := addr.Prefix(64) // which every address of IPv6 has
	return network.String()
}

// private reports whether host is at an address that is not public, or may be.
func (n *names) private(ctx context.Context, host string) bool {
	addrs := []netip.Addr{}
	if addr, err := netip.ParseAddr(host); err == nil {
		addrs = append(addrs, addr)
	} else if addrs, err = n.addresses(ctx, host); err != nil {
		return true
	}
	return slices.ContainsFunc(addrs, func(a netip.Addr) bool { return notPublic(a) != "" })
}

func (n *names) find(ctx context.Context, host string) *name {
	now := n.now()
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.young) >= maxNames || now.Sub(n.turned) >= nameTTL {
		n.young, n.older, n.turned = make(map[string]*name), n.young, now
	}
	for _, generation := range []map[string]*name{n.young, n.older} {
		if entry := generation[host]; entry != nil && (entry.expires.IsZero() || now.Before(entry.expires)) {
			return entry
		}
	}
	entry := &name{done: make(chan struct{})}
	n.young[host] = entry
	go n.lookUp(context.WithoutCancel(ctx), host, entry)
	return entry
}

func (n *names) lookUp(ctx context.Context, host string, entry *name) {
	ctx, cancel := context.WithTimeout(ctx, n.timeout)
	defer cancel()
	addrs, err := n.resolver.LookupNetIP(ctx, "ip", host)
	if err == nil && len(addrs) == 0 {
		err = &net.DNSError{Err: "no addresses", Name: host, IsNotFound: true}
	}
	ttl := nameTTL
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		ttl = missingTTL
	case err != nil:
		ttl = failedTTL
	}
	n.mu.Lock()
	entry.addrs, entry.err, entry.expires = inTurns(addrs), err, n.now().Add(ttl)
	n.mu.Unlock()
	close(entry.done)
}

// forget drops what is known of host, because none of its addresses answered.
func (n *names) forget(host string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, generation := range []map[string]*name{n.young, n.older} {
		if entry := generation[host]; entry != nil && !entry.expires.IsZero() {
			delete(generation, host)
		}
	}
}

// maxAddresses is how many addresses of a host are tried.
const maxAddresses = 6

// inTurns orders addresses so that the two families take turns, the first address's family first (RFC 8305 section 4):
// where one family does not work, the second attempt is of the other.
func inTurns(addrs []netip.Addr) []netip.Addr {
	var preferred, other []netip.Addr
	for _, addr := range addrs {
		addr = addr.Unmap()
		if len(preferred) == 0 || addr.Is4() == preferred[0].Is4() {
			preferred = append(preferred, addr)
		} else {
			other = append(other, addr)
		}
	}
	mixed := make([]netip.Addr, 0, min(len(addrs), maxAddresses))
	for i := 0; len(mixed) < cap(mixed); i++ {
		if i < len(preferred) {
			mixed = append(mixed, preferred[i])
		}
		if i < len(other) && len(mixed) < cap(mixed) {
			mixed = append(mixed, other[i])
		}
	}
	return mixed
}
