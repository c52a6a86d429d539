package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// attemptDelay is how long an attempt to connect may take before the next address is tried beside it (RFC 8305 section 5).
const attemptDelay = 250 * time.Millisecond

// dialer opens connections for a transport: it looks the host up, has each address checked and connects to the first one
// that answers.
type dialer struct {
	names   *names
	connect func(ctx context.Context, network, address string) (net.Conn, error)
	// check, where there is one, refuses addresses. It is asked about the very address that is then connected to, so
	// nothing that a name server answers, now or later, gets past it.
	check func(netip.Addr) error
	// timeout is for a connection, and again for TLS on it; whole is for all of a Get.
	timeout, whole time.Duration
	// tls is for connections by https.
	tls *tls.Config
}

func newDialer(o Options, names *names, check func(netip.Addr) error) *dialer {
	return &dialer{
		names: names, connect: o.Connect, check: check, timeout: o.ConnectTimeout, whole: o.Timeout, tls: &tls.Config{RootCAs: o.Roots},
	}
}

// dial is for http.Transport.DialContext. Its context is that of the request that asked for a connection, and may be
// dead to it: the request may have found another connection.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	at := progressOf(ctx).dial()
	conn, err := d.open(ctx, network, address, at)
	if err == nil {
		at.enter(waiting)
	}
	return conn, err
}

// dialTLS is for http.Transport.DialTLSContext, as dial is.
func (d *dialer) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	at := progressOf(ctx).dial()
	plain, err := d.open(ctx, network, address, at)
	if err != nil {
		return nil, err
	}
	at.enter(handshaking)
	ctx, cancel := context.WithTimeoutCause(ctx, d.timeout, errConnectTimeout)
	defer cancel()
	config := d.tls.Clone()
	config.ServerName, _, _ = net.SplitHostPort(address) // as toHost has done
	conn := tls.Client(plain, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		plain.Close()
		return nil, d.failed(ctx, at, err)
	}
	at.enter(waiting)
	return conn, nil
}

// open connects to a host.
func (d *dialer) open(ctx context.Context, network, address string, at *dial) (net.Conn, error) {
	at.enter(lookingUp)
	ctx, cancel := context.WithTimeoutCause(ctx, d.timeout, errConnectTimeout)
	defer cancel()
	conn, err := d.toHost(ctx, network, address, at)
	if err != nil {
		return nil, d.failed(ctx, at, err)
	}
	return conn, nil
}

// failed is the error of a dial that has ended where it was.
func (d *dialer) failed(ctx context.Context, at *dial, err error) error {
	ended, late := at.phase, context.Cause(ctx) == errConnectTimeout
	if late {
		err = fmt.Errorf("%s: %w: %w", ended, errConnectTimeout, err)
	}
	// Where it had as long as the whole Get that is over as well, and has to say what took so long.
	if !late || d.timeout < d.whole {
		at.enter(waiting)
	}
	return &dialError{ended, err}
}

// dialError is why there is no connection, and how far it came.
type dialError struct {
	at  phase
	err error
}

func (e *dialError) Error() string { return e.err.Error() }
func (e *dialError) Unwrap() error { return e.err }

func (d *dialer) toHost(ctx context.Context, network, address string, at *dial) (net.Conn, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, because("%q is not a port: correct the URL", clip(portText))
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		at.enter(dialling)
		return d.toAddress(ctx, network, netip.AddrPortFrom(addr, uint16(port)))
	}
	addrs, err := d.names.addresses(ctx, host)
	if err != nil {
		return nil, err
	}
	at.enter(dialling)
	conn, err := d.toAnyOf(ctx, network, addrs, uint16(port))
	var private *privateError
	if err != nil && !errors.As(err, &private) {
		// The host may have moved: the next poll looks again.
		d.names.forget(host)
	}
	return conn, err
}

// toAddress connects to one address. It is the one place where a connection begins.
func (d *dialer) toAddress(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	if d.check != nil {
		if err := d.check(to.Addr()); err != nil {
			return nil, err
		}
	}
	return d.connect(ctx, network, to.String())
}

// toAnyOf connects to the address that answers first. Each attempt begins when the one before it failed or has taken a
// while. The error is the first attempt's.
func (d *dialer) toAnyOf(ctx context.Context, network string, addrs []netip.Addr, port uint16) (net.Conn, error) {
	if len(addrs) == 1 {
		return d.toAddress(ctx, network, netip.AddrPortFrom(addrs[0], port))
	}
	type result struct {
		conn net.Conn
		err  error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan result, len(addrs))
	begun, ended := 0, 0
	begin := func() {
		to := netip.AddrPortFrom(addrs[begun], port)
		begun++
		go func() {
			conn, err := d.toAddress(ctx, network, to)
			results <- result{conn, err}
		}()
	}
	late := time.NewTimer(attemptDelay)
	defer late.Stop()
	var failure error
	for begin(); ; {
		select {
		case r := <-results:
			ended++
			if r.err == nil {
				// Attempts that are still under way end with their context; one may just have succeeded.
				go func() {
					for range begun - ended {
						if r := <-results; r.conn != nil {
							r.conn.Close()
						}
					}
				}()
				return r.conn, nil
			}
			if failure == nil {
				failure = r.err
			}
			if ended == len(addrs) {
				return nil, failure
			}
			if begun == len(addrs) {
				continue
			}
		case <-late.C:
			if begun == len(addrs) {
				continue
			}
		}
		begin()
		late.Reset(attemptDelay)
	}
}
