package fetch

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"syscall"
	"time"
)

// newTransport is a pool of connections. check, where there is one, is asked about every address before a socket
// connects to it.
func newTransport(timeout time.Duration, check func(address string) error) *http.Transport {
	dialer := &net.Dialer{
		// The dialer's own limit makes it share the time out among the addresses of a host, so that one that swallows
		// packets leaves time for the next. A dial that nobody waits for any more ends by it too.
		Timeout:   timeout,
		KeepAlive: 30 * time.Second,
		ControlContext: func(ctx context.Context, _, address string, _ syscall.RawConn) error {
			progressOf(ctx).advance(dialling)
			if check == nil {
				return nil
			}
			return check(address)
		},
	}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		progressOf(ctx).advance(lookingUp)
		conn, err := dialer.DialContext(ctx, network, address)
		if err == nil {
			// Where there is no TLS, the next phase follows at once.
			progressOf(ctx).advance(handshaking)
		}
		return conn, err
	}
	return &http.Transport{
		// No proxy: see the package comment.
		Proxy:               nil,
		DialContext:         dial,
		TLSHandshakeTimeout: timeout,
		// Encodings are undone here, where sizes are counted.
		DisableCompression: true,
		ForceAttemptHTTP2:  true,
		// Ten thousand hosts polled every half hour gain nothing from connections that idle for long; feeds of the
		// same host that are due together do.
		MaxIdleConns:           512,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        45 * time.Second,
		MaxResponseHeaderBytes: maxHeader,
		// A shared HTTP/2 connection that died silently would time out every feed of its host.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 5 * time.Second},
	}
}

// maxHeader bounds the headers of an answer, in bytes.
const maxHeader = 256 << 10

// phase is what a Get is waiting for.
type phase int32

const (
	connecting phase = iota
	lookingUp
	dialling
	handshaking
	waiting
	reading
)

func (p phase) String() string {
	switch p {
	case lookingUp:
		return "looking up the host's address"
	case dialling, connecting:
		return "connecting to the host"
	case handshaking:
		return "the TLS handshake"
	case waiting:
		return "waiting for an answer"
	}
	return "reading the answer"
}

// progress remembers the phase for the error of a Get that runs out of time. It travels in the request's context, where a
// dial finds it; httptrace's hooks for dialling would be set up for each request, and most find a connection open.
type progress struct{ phase atomic.Int32 }

type progressKey struct{}

// track is ctx with p in it.
func (p *progress) track(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(context.WithValue(ctx, progressKey{}, p), &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { p.advance(waiting) },
	})
}

func progressOf(ctx context.Context) *progress {
	p, ok := ctx.Value(progressKey{}).(*progress)
	if !ok {
		return new(progress)
	}
	return p
}

func (p *progress) set(to phase) { p.phase.Store(int32(to)) }

// advance never goes back: it may be called late, by a dial that goes on after the request found another connection.
func (p *progress) advance(to phase) {
	for {
		now := p.phase.Load()
		if now >= int32(to) || p.phase.CompareAndSwap(now, int32(to)) {
			return
		}
	}
}

// outOfTime reports whether err is the end of the Get's own time.
func outOfTime(ctx context.Context, err error) bool {
	if context.Cause(ctx) == errTimeout {
		return true
	}
	// The dialer's and the handshake's limits are as long and may be noticed first.
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
