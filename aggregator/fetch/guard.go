package fetch

import (
	"fmt"
	"net/netip"
)

// special are the blocks that are not the public Internet, and what they are (the IANA special-purpose address
// registries, RFC 6890 and its updates). What IPv6 has outside 2000::/3 is refused without being listed.
var special = []struct {
	block netip.Prefix
	what  string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "an unspecified address"},
	{netip.MustParsePrefix("10.0.0.0/8"), "a private address"},
	{netip.MustParsePrefix("100.64.0.0/10"), "a carrier's internal address"}, // RFC 6598
	{netip.MustParsePrefix("127.0.0.0/8"), "a loopback address"},
	{netip.MustParsePrefix("169.254.0.0/16"), "a link-local address"}, // cloud metadata services among them
	{netip.MustParsePrefix("172.16.0.0/12"), "a private address"},
	{netip.MustParsePrefix("192.0.0.0/24"), "a protocol's own address"},
	{netip.MustParsePrefix("192.0.2.0/24"), "a documentation address"},
	{netip.MustParsePrefix("192.88.99.0/24"), "a 6to4 relay"}, // RFC 7526
	{netip.MustParsePrefix("192.168.0.0/16"), "a private address"},
	{netip.MustParsePrefix("198.18.0.0/15"), "a benchmarking address"},
	{netip.MustParsePrefix("198.51.100.0/24"), "a documentation address"},
	{netip.MustParsePrefix("203.0.113.0/24"), "a documentation address"},
	{netip.MustParsePrefix("224.0.0.0/4"), "a multicast address"},
	{netip.MustParsePrefix("240.0.0.0/4"), "a reserved address"},

	{netip.MustParsePrefix("::/128"), "an unspecified address"},
	{netip.MustParsePrefix("::1/128"), "a loopback address"},
	{netip.MustParsePrefix("fc00::/7"), "a private address"},
	{netip.MustParsePrefix("fe80::/10"), "a link-local address"},
	{netip.MustParsePrefix("fec0::/10"), "a private address"}, // RFC 3879
	{netip.MustParsePrefix("ff00::/8"), "a multicast address"},
	{netip.MustParsePrefix("2001::/32"), "a Teredo address"},
	{netip.MustParsePrefix("2001:2::/48"), "a benchmarking address"},
	{netip.MustParsePrefix("2001:db8::/32"), "a documentation address"},
	{netip.MustParsePrefix("2001::/23"), "a protocol's own address"},
	{netip.MustParsePrefix("2002::/16"), "a 6to4 address"},
	{netip.MustParsePrefix("3fff::/20"), "a documentation address"}, // RFC 9637
}

var (
	globalUnicast6 = netip.MustParsePrefix("2000::/3")
	nat64          = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052
)

// privateError is a connection that was refused because of where it leads.
type privateError struct {
	addr netip.Addr
	what string
	// allow is what to set if it is intended.
	allow string
}

func (e *privateError) Error() string {
	return fmt.Sprintf("the host's address %s is %s, which is not connected to: if that is intended, set %s", e.addr, e.what, e.allow)
}

// refusePrivate refuses an address that is not public. allow is what to set if one is intended.
func refusePrivate(allow string) func(addr netip.Addr) error {
	return func(addr netip.Addr) error {
		if what := notPublic(addr); what != "" {
			return &privateError{addr, what, allow}
		}
		return nil
	}
}

// notPublic says what keeps addr from being a public unicast address, "" for one that is. An IPv4 address inside an
// IPv6 one is judged as what it leads to.
func notPublic(addr netip.Addr) string {
	addr = addr.WithZone("").Unmap()
	if nat64.Contains(addr) {
		// Where a network has only IPv6, this is how all of IPv4 is reached.
		raw := addr.As16()
		addr = netip.AddrFrom4([4]byte(raw[12:]))
	}
	for _, s := range special {
		if s.block.Contains(addr) {
			return s.what
		}
	}
	if addr.Is6() && !globalUnicast6.Contains(addr) {
		return "not a public address"
	}
	return ""
}
