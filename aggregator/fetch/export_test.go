package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/netip"
)

// NotPublic is the guard's judgement, so that it can be asked about addresses without connecting to them.
func NotPublic(addr netip.Addr) string { return notPublic(addr) }

// Exempt makes one address (host:port) pass the guard, as if it were public.
func (c *Client) Exempt(address string) {
	c.guarded = newTransport(c.options.Timeout, func(to string) error {
		if to == address {
			return nil
		}
		return refusePrivate(to)
	})
}

// Trust makes the client accept certificates of the given authorities.
func (c *Client) Trust(pool *x509.CertPool) {
	for _, t := range []*http.Transport{c.guarded, c.open} {
		t.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
}

// Dial makes the client connect through dial.
func (c *Client) Dial(dial func(context.Context, string, string) (net.Conn, error)) {
	c.guarded.DialContext, c.open.DialContext = dial, dial
}
