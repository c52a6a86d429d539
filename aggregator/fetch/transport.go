package fetch

import (
	"net/http"
	"net/netip"
	"time"
)

// newTransport is a pool of connections that d opens.
func newTransport(o Options, d *dialer) *http.Transport {
	t := &http.Transport{
		// No proxy: see the package comment.
		Proxy:          nil,
		DialContext:    d.dial,
		DialTLSContext: d.dialTLS,
		// Encodings are undone here, where sizes are counted.
		DisableCompression: true,
		ForceAttemptHTTP2:  true,
		// Ten thousand hosts polled every half hour gain nothing from connections that idle for long; feeds of the
		// same host that are due together do.
		MaxIdleConns:           512,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        45 * time.Second,
		MaxResponseHeaderBytes: o.MaxHeader,
		// A shared HTTP/2 connection that died silently would time out every feed of its host.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 5 * time.Second},
	}
	// It adds the protocols that it speaks before it dials.
	t.TLSClientConfig = d.tls
	return t
}

// NewTransport is a pool of connections for requests that get no feed. It connects as a Client does: to addresses that
// are public, checked when it connects, unless o.AllowPrivate is set; allow is the key of the config that an error names
// as what to set for more. Of o it takes what concerns connections and headers. Whoever uses it limits the time of a
// request and the size of an answer.
func NewTransport(o Options, allow string) *http.Transport {
	o = o.withDefaults()
	var check func(netip.Addr) error
	if !o.AllowPrivate {
		check = refusePrivate(allow)
	}
	return newTransport(o, newDialer(o, newNames(o), check))
}
