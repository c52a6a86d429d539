package fetch

import (
	"context"
	"crypto/x509"
	"net"
	"net/netip"
	"time"
)

// The defaults of Options.
const (
	DefaultTimeout        = 30 * time.Second
	DefaultConnectTimeout = 10 * time.Second
	DefaultHeaderTimeout  = 20 * time.Second
	DefaultMinRate        = 1 << 10
	DefaultRateWindow     = 10 * time.Second
	DefaultMaxBody        = 16 << 20
	DefaultMaxHeader      = 256 << 10
	DefaultMaxRedirects   = 10
)

// Options are what a Client works with. The zero value of a field is its default. Each limit is a key of the config
// under fetch, and an error that a limit makes names that key.
type Options struct {
	// UserAgent is sent as it is, by convention "topicwire/VERSION (+CONTACT)". Default "topicwire".
	UserAgent string

	// Timeout (fetch.timeout) bounds a Get from beginning to end, redirects included.
	Timeout time.Duration
	// ConnectTimeout (fetch.connect_timeout) bounds the way to an open connection, name look-up included, and again the
	// TLS handshake on it.
	ConnectTimeout time.Duration
	// HeaderTimeout (fetch.header_timeout) bounds the wait from an open connection to the end of the answer's headers.
	HeaderTimeout time.Duration
	// MinRate (fetch.min_rate) is how many bytes a second a body must bring on average in each RateWindow from its
	// beginning on, as they come over the network; so the first window is also the grace. Negative is no limit.
	MinRate    int64
	RateWindow time.Duration
	// MaxDownload (fetch.max_download) bounds a body in bytes as it comes over the network, MaxBody (fetch.max_body)
	// the same decompressed. Without one of its own, the first limit is the second, and errors name that.
	MaxDownload, MaxBody int64
	// MaxHeader (fetch.max_header) bounds the headers of one answer in bytes.
	MaxHeader int64
	// MaxRedirects (fetch.redirects) is how many redirects one Get follows.
	MaxRedirects int

	// AllowPrivate lets every request connect to addresses that are not public.
	AllowPrivate bool

	// Now is the clock that a Retry-After in seconds and the age of looked-up names count from. Default time.Now.
	Now func() time.Time
	// Resolver looks names up. Default net.DefaultResolver.
	Resolver Resolver
	// Connect opens a connection to an address (IP:port) that has been looked up and checked. Default net.Dialer.
	Connect func(ctx context.Context, network, address string) (net.Conn, error)
	// Roots are the authorities whose certificates are trusted. Default those of the machine.
	Roots *x509.CertPool

	// downloadKey is the key that MaxDownload comes from.
	downloadKey string
}

// Resolver looks up the addresses of a host name as net.Resolver does: in the order in which to try them, an error that
// is a *net.DNSError where there is none.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

func (o Options) withDefaults() Options {
	if o.UserAgent == "" {
		o.UserAgent = "topicwire"
	}
	orDefault(&o.Timeout, DefaultTimeout)
	orDefault(&o.ConnectTimeout, DefaultConnectTimeout)
	orDefault(&o.HeaderTimeout, DefaultHeaderTimeout)
	// What outlasts the whole ends with it, and the whole is then what the error names.
	o.ConnectTimeout = min(o.ConnectTimeout, o.Timeout)
	o.HeaderTimeout = min(o.HeaderTimeout, o.Timeout)
	if o.MinRate == 0 {
		o.MinRate = DefaultMinRate
	}
	orDefault(&o.RateWindow, DefaultRateWindow)
	orDefault(&o.MaxBody, DefaultMaxBody)
	o.downloadKey = "fetch.max_download"
	if o.MaxDownload <= 0 {
		o.MaxDownload, o.downloadKey = o.MaxBody, "fetch.max_body"
	}
	orDefault(&o.MaxHeader, DefaultMaxHeader)
	orDefault(&o.MaxRedirects, DefaultMaxRedirects)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	if o.Connect == nil {
		o.Connect = (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext
	}
	return o
}

func orDefault[T int | int64 | time.Duration](value *T, otherwise T) {
	if *value <= 0 {
		*value = otherwise
	}
}
