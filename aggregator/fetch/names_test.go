package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator/fetch"
	"github.com/topicwire/topicwire/aggregator/fetch/chaos"
)

// once serves the document and closes the connection, so that each request needs a new one.
func once(t testing.TB) (listener string) {
	return strings.TrimPrefix(serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		fmt.Fprint(w, document)
	}).URL, "http://")
}

func TestNamesAreRememberedForAWhile(t *testing.T) {
	network := chaos.NewNetwork()
	network.Host("wire.example", once(t))
	network.Fail("failing.example")
	var clock atomic.Int64
	c := fetch.New(fetch.Options{
		Resolver: network, Connect: network.Connect, Now: func() time.Time { return now().Add(time.Duration(clock.Load())) },
	})
	defer c.Close()
	for _, step := range []struct {
		name  string
		at    time.Duration
		want  int // look-ups so far
		error string
	}{
		{"wire.example", 0, 1, ""},
		{"wire.example", time.Minute, 1, ""},
		{"wire.example", 2*time.Minute + time.Second, 2, ""},
		{"missing.example", 3 * time.Minute, 0, "does not exist"},
		{"failing.example", 3 * time.Minute, 1, "could not be looked up"},
		{"failing.example", 3*time.Minute + time.Second, 1, "could not be looked up"},
		{"failing.example", 3*time.Minute + 4*time.Second, 2, "could not be looked up"},
	} {
		clock.Store(int64(step.at))
		_, err := c.Get(t.Context(), fetch.Request{URL: "http://" + step.name + "/"})
		if step.error == "" && err != nil || step.error != "" && (err == nil || !strings.Contains(err.Error(), step.error)) {
			t.Errorf("%s at %s: %v, want %q", step.name, step.at, err, step.error)
		}
		if got := network.Lookups(step.name); got != step.want {
			t.Errorf("%s at %s: looked up %d times, want %d", step.name, step.at, got, step.want)
		}
	}
	// A name that did not exist is looked for again before long.
	network.Host("missing.example", once(t))
	clock.Add(int64(31 * time.Second))
	get(t, c, fetch.Request{URL: "http://missing.example/"})
}

func TestANameWhoseAddressIsDeadIsLookedUpAgain(t *testing.T) {
	network := chaos.NewNetwork()
	old := network.Host("old.example", closedAddress(t))
	moved := network.Host("moved.example", once(t))
	network.Answer("wire.example", []netip.Addr{old}, []netip.Addr{moved})
	c := fetch.New(fetch.Options{Resolver: network, Connect: network.Connect, Now: now})
	defer c.Close()
	failure := fails(t, c, fetch.Request{URL: "http://wire.example/"})
	if !failure.Unreached || !strings.Contains(failure.Error(), "refuses connections") {
		t.Errorf("%v, unreached: %t", failure, failure.Unreached)
	}
	get(t, c, fetch.Request{URL: "http://wire.example/"})
}

func closedAddress(t testing.TB) string { return strings.TrimPrefix(closedPort(t), "http://") }

// TestRebinding is a name that gives its public address to whoever checks and this machine's to whoever connects.
func TestRebinding(t *testing.T) {
	inner := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a private server was asked") })
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(inner.URL, "http://"))
	loopback := netip.MustParseAddr("127.0.0.1")
	for name, answers := range map[string]func(public netip.Addr) [][]netip.Addr{
		"at the second look-up": func(public netip.Addr) [][]netip.Addr { return [][]netip.Addr{{public}, {loopback}} },
		"at every other one": func(public netip.Addr) [][]netip.Addr {
			return [][]netip.Addr{{public}, {loopback}, {public}, {loopback}}
		},
		"beside the public one": func(public netip.Addr) [][]netip.Addr { return [][]netip.Addr{{public, loopback}} },
		"before the public one": func(public netip.Addr) [][]netip.Addr { return [][]netip.Addr{{loopback, public}} },
		"as IPv4 in IPv6": func(public netip.Addr) [][]netip.Addr {
			return [][]netip.Addr{{public}, {netip.MustParseAddr("::ffff:127.0.0.1")}}
		},
		"as IPv6": func(public netip.Addr) [][]netip.Addr { return [][]netip.Addr{{public}, {netip.MustParseAddr("::1")}} },
		"through a translator to IPv4": func(public netip.Addr) [][]netip.Addr {
			return [][]netip.Addr{{netip.MustParseAddr("64:ff9b::7f00:1")}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			network := chaos.NewNetwork()
			// The public address is dead, so that a client that tries another one does so.
			public := network.Host("public.example", closedAddress(t))
			network.Answer("wire.example", answers(public)...)
			var clock atomic.Int64
			c := fetch.New(fetch.Options{
				Resolver: network, Connect: network.Connect, Now: func() time.Time { return now().Add(time.Duration(clock.Load())) },
			})
			defer c.Close()
			for range 5 {
				fails(t, c, fetch.Request{URL: "http://wire.example:" + port + "/"})
				clock.Add(int64(time.Hour))
			}
		})
	}
}

func TestOneLookUpForManyWhoAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lookups atomic.Int64
		slow := resolve(func(ctx context.Context, host string) ([]netip.Addr, error) {
			lookups.Add(1)
			time.Sleep(time.Second)
			return []netip.Addr{netip.MustParseAddr("93.184.0.1")}, ctx.Err()
		})
		host := paced("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 0, "", 0)
		c := fetch.New(fetch.Options{Resolver: slow, Connect: host.connect})
		var wg sync.WaitGroup
		// The first one gives up before the answer; the others still get it.
		impatient, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		wg.Go(func() {
			if _, err := c.Get(impatient, fetch.Request{URL: "http://wire.example/"}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Get = %v, want the end of its context", err)
			}
		})
		synctest.Wait()
		for range 20 {
			wg.Go(func() {
				if _, err := c.Get(t.Context(), fetch.Request{URL: "http://wire.example/"}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		c.Close()
		if n := lookups.Load(); n != 1 {
			t.Errorf("%d look-ups, want 1", n)
		}
	})
}

type resolve func(ctx context.Context, host string) ([]netip.Addr, error)

// LookupNetIP implements fetch.Resolver.
func (r resolve) LookupNetIP(ctx context.Context, _, host string) ([]netip.Addr, error) {
	return r(ctx, host)
}

// TestAddressesAreTriedInTurn connects to hosts some of whose addresses do not work.
func TestAddressesAreTriedInTurn(t *testing.T) {
	const four1, four2, six1, six2 = "93.184.0.1:80", "93.184.0.2:80", "[2606:4700::1]:80", "[2606:4700::2]:80"
	works := paced("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, "", 0)
	for name, c := range map[string]struct {
		addrs []string
		// does says what an address does: "works", "silent", or refuse.
		does  map[string]string
		tried []string
		after time.Duration
		want  string
	}{
		"the first one works": {[]string{six1, four1}, map[string]string{six1: "works", four1: "works"}, []string{six1}, 0, ""},
		"families take turns": {
			[]string{six1, six2, four1, four2}, map[string]string{four2: "works"}, []string{six1, four1, six2, four2}, 0, "",
		},
		"one that is silent delays little": {
			[]string{six1, six2, four1}, map[string]string{six1: "silent", six2: "silent", four1: "works"},
			[]string{six1, four1}, 250 * time.Millisecond, "",
		},
		"the last of many that are silent": {
			[]string{four1, four2, six1}, map[string]string{four1: "silent", six1: "silent", four2: "works"},
			[]string{four1, six1, four2}, 500 * time.Millisecond, "",
		},
		"none works":     {[]string{four1, six1}, nil, []string{four1, six1}, 0, "the host refuses connections"},
		"all are silent": {[]string{four1, six1}, map[string]string{four1: "silent", six1: "silent"}, []string{four1, six1}, 10 * time.Second, "connecting to the host took longer than fetch.connect_timeout (10s)"},
		"one is silent, the other refuses": {
			[]string{four1, six1}, map[string]string{four1: "silent"}, []string{four1, six1}, 10 * time.Second, "fetch.connect_timeout",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				var tried []string
				connect := func(ctx context.Context, network, address string) (net.Conn, error) {
					mu.Lock()
					tried = append(tried, address)
					mu.Unlock()
					switch c.does[address] {
					case "works":
						return works.connect(ctx, network, address)
					case "silent":
						<-ctx.Done()
						return nil, &net.OpError{Op: "dial", Err: ctx.Err()}
					}
					return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
				}
				resolver := resolve(func(context.Context, string) (addrs []netip.Addr, err error) {
					for _, text := range c.addrs {
						addrs = append(addrs, netip.MustParseAddrPort(text).Addr())
					}
					return addrs, nil
				})
				client := fetch.New(fetch.Options{Resolver: resolver, Connect: connect})
				began := time.Now()
				_, err := client.Get(t.Context(), fetch.Request{URL: "http://wire.example/"})
				if took := time.Since(began); took != c.after {
					t.Errorf("took %s, want %s", took, c.after)
				}
				if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("Get = %v, want %q", err, c.want)
				}
				client.Close()
				synctest.Wait()
				if diff := cmp.Diff(c.tried, tried); diff != "" {
					t.Errorf("tried (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestOnlyOneConnectionIsKept connects to a host two of whose addresses answer late and at once.
func TestOnlyOneConnectionIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var open atomic.Int64
		works := paced("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, "", 0)
		connect := func(ctx context.Context, network, address string) (net.Conn, error) {
			if strings.HasPrefix(address, "93.184.0.1:") {
				time.Sleep(250 * time.Millisecond) // deaf to its context, like a connection that is just made
			}
			conn, err := works.connect(ctx, network, address)
			open.Add(1)
			return &closing{Conn: conn, closed: func() { open.Add(-1) }}, err
		}
		resolver := resolve(func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("93.184.0.1"), netip.MustParseAddr("93.184.0.2")}, nil
		})
		client := fetch.New(fetch.Options{Resolver: resolver, Connect: connect})
		if _, err := client.Get(t.Context(), fetch.Request{URL: "http://wire.example/"}); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		client.Close()
		synctest.Wait()
		if n := open.Load(); n != 0 {
			t.Errorf("%d connections are still open", n)
		}
	})
}

// closing tells when it is closed.
type closing struct {
	net.Conn
	once   sync.Once
	closed func()
}

func (c *closing) Close() error {
	c.once.Do(c.closed)
	return c.Conn.Close()
}

func TestAddressIsPublicAndOneCustomers(t *testing.T) {
	network := chaos.NewNetwork()
	for name, addr := range map[string]string{
		"four.example": "198.41.0.4", "six.example": "2001:503:ba3e::2:30", "inside.example": "10.0.0.7",
	} {
		network.Answer(name, []netip.Addr{netip.MustParseAddr(addr)})
	}
	c := fetch.New(fetch.Options{Resolver: network})
	for url, want := range map[string]string{
		"https://four.example/feed": "198.41.0.4", "http://six.example:8080/": "2001:503:ba3e::/64", "https://inside.example/": "",
		"https://none.example/": "", "http://198.41.0.4/": "198.41.0.4", "http://[2001:503:ba3e::9]/": "2001:503:ba3e::/64",
		"http://127.0.0.1:80/": "", ":": "", "": "",
	} {
		if got := c.Address(t.Context(), url); got != want {
			t.Errorf("%q is at %q, want %q", url, got, want)
		}
	}
}
