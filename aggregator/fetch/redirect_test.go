package fetch_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/fetch"
	"github.com/topicwire/topicwire/aggregator/fetch/chaos"
)

// site serves documents, and redirects from /to?URL and /code/N?URL.
func site(t testing.TB) *httptest.Server {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		var code, n int
		switch _, err := fmt.Sscanf(r.URL.Path, "/code/%d", &code); {
		case err == nil:
			w.Header().Set("Location", r.URL.RawQuery)
			w.WriteHeader(code)
		case r.URL.Path == "/to":
			w.Header().Set("Location", r.URL.RawQuery)
			w.WriteHeader(http.StatusFound)
		case r.URL.Path == "/nowhere":
			w.WriteHeader(http.StatusFound)
		case r.URL.Path == "/ping" || r.URL.Path == "/pong":
			other := map[string]string{"/ping": "/pong", "/pong": "/ping"}[r.URL.Path]
			http.Redirect(w, r, other, http.StatusFound)
		case strings.HasPrefix(r.URL.Path, "/count/"):
			if _, err := fmt.Sscanf(r.URL.Path, "/count/%d", &n); err == nil && n > 0 {
				http.Redirect(w, r, fmt.Sprintf("/count/%d", n-1), http.StatusFound)
				return
			}
			fallthrough
		default:
			fmt.Fprint(w, document)
		}
	})
}

func TestRedirectsAreFollowed(t *testing.T) {
	s := site(t)
	for from, to := range map[string]string{
		"/code/301?/feed.xml":           "/feed.xml",
		"/code/302?/feed.xml":           "/feed.xml",
		"/code/303?/feed.xml":           "/feed.xml",
		"/code/307?/feed.xml":           "/feed.xml",
		"/code/308?/feed.xml":           "/feed.xml",
		"/to?relative/feed.xml":         "/relative/feed.xml",
		"/to?" + s.URL + "/feed.xml#me": "/feed.xml",
		"/count/10":                     "/count/0",
	} {
		got := get(t, newClient(t, fetch.Options{}), fetch.Request{URL: s.URL + from})
		if got.URL != s.URL+to || string(got.Body) != document {
			t.Errorf("%s ends at %s, want %s", from, got.URL, to)
		}
	}
}

func TestRedirectsThatAreRefused(t *testing.T) {
	s := site(t)
	for from, want := range map[string]string{
		"/ping":                        "redirects in a loop, back to " + s.URL + "/ping: the publisher may insist on cookies",
		"/count/11":                    "redirects more than 10 times (fetch.redirects), lastly to " + s.URL + "/count/0",
		"/nowhere":                     "redirects (302) without saying where to",
		"/to?http://exa mple.org/":     "redirects (302) to what is not a valid URL",
		"/to?file:///etc/passwd":       "redirects to file:///etc/passwd: file URLs are not fetched",
		"/to?javascript:alert(1)":      "javascript URLs are not fetched",
		"/to?http:///feed":             "names no host",
		"/to?gopher://me:s3cret@host/": "redirects to gopher://host/: gopher URLs are not fetched",
	} {
		failure := fails(t, newClient(t, fetch.Options{}), fetch.Request{URL: s.URL + strings.ReplaceAll(from, " ", "%20")})
		if !strings.Contains(failure.Error(), want) || failure.Status != 302 {
			t.Errorf("%s: status %d, %q; want %q", from, failure.Status, failure, want)
		}
	}
}

func TestARedirectToItselfIsALoop(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "seen", Value: "1"})
		http.Redirect(w, r, r.URL.String(), http.StatusFound)
	})
	if failure := fails(t, newClient(t, fetch.Options{}), fetch.Request{URL: s.URL + "/feed"}); !strings.Contains(failure.Error(), "in a loop") {
		t.Errorf("%q", failure)
	}
}

func TestNoDowngradeToHTTP(t *testing.T) {
	plain := site(t)
	s := httptest.NewTLSServer(http.RedirectHandler(plain.URL+"/feed", http.StatusMovedPermanently))
	defer s.Close()
	c := newClient(t, fetch.Options{Roots: rootsOf(s)})
	failure := fails(t, c, fetch.Request{URL: s.URL})
	if want := "redirects from https to http (" + plain.URL + "/feed), which is not followed"; !strings.Contains(failure.Error(), want) {
		t.Errorf("%q, want %q", failure, want)
	}
}

// twoOrigins are servers that redirect to what the parameter "to" says, and log each request: the name of the server, the
// path, and what shows of the request.
func twoOrigins(t *testing.T, log *[]string, shows func(*http.Request) string) (a, b *httptest.Server) {
	record := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			*log = append(*log, name+r.URL.Path+" "+shows(r))
			if to := r.URL.Query().Get("to"); to != "" {
				http.Redirect(w, r, to, http.StatusFound)
				return
			}
			fmt.Fprint(w, document)
		}
	}
	return serve(t, record("a")), serve(t, record("b"))
}

func TestCredentialsStayWithTheirOrigin(t *testing.T) {
	var log []string
	a, b := twoOrigins(t, &log, func(r *http.Request) string {
		user, password, _ := r.BasicAuth()
		return user + ":" + password
	})
	c := newClient(t, fetch.Options{})
	withUser := strings.Replace(a.URL, "//", "//me:s3%20cret@", 1)
	get(t, c, fetch.Request{URL: withUser + "/1?to=/2"})
	get(t, c, fetch.Request{URL: withUser + "/3?to=" + b.URL + "/4"})
	get(t, c, fetch.Request{URL: a.URL + "/5?to=" + strings.Replace(b.URL, "//", "//evil:twin@", 1) + "/6"})
	want := []string{"a/1 me:s3 cret", "a/2 me:s3 cret", "a/3 me:s3 cret", "b/4 :", "a/5 :", "b/6 :"}
	if diff := cmp.Diff(want, log); diff != "" {
		t.Errorf("credentials (-want +got):\n%s", diff)
	}
}

func TestHeadersStayWithTheirOrigin(t *testing.T) {
	var log []string
	a, b := twoOrigins(t, &log, func(r *http.Request) string { return r.Header.Get("X-Key") + " " + r.Header.Get("Accept") })
	c := newClient(t, fetch.Options{})
	header := map[string]string{"x-key": "s3cret", "Accept": "application/x-own"}
	get(t, c, fetch.Request{URL: a.URL + "/1?to=/2", Header: header})
	get(t, c, fetch.Request{URL: a.URL + "/3?to=" + b.URL + "/4?to=" + a.URL + "/5", Header: header})
	get(t, c, fetch.Request{URL: a.URL + "/6"})
	want := []string{"a/1 s3cret application/x-own", "a/2 s3cret application/x-own", "a/3 s3cret application/x-own", "b/4 ", "a/5 s3cret application/x-own", "a/6 "}
	for i, line := range log {
		if i < len(want) && strings.HasSuffix(want[i], " ") {
			log[i] = strings.TrimRight(line[:len(want[i])], " ") + " "
		}
	}
	if diff := cmp.Diff(want, log); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	_, err := c.Get(t.Context(), fetch.Request{URL: "http://127.0.0.1:1/", Header: header})
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("error %v", err)
	}
}

func TestValidatorsAlongRedirects(t *testing.T) {
	both := aggregator.Validators{ETag: `"1"`, LastModified: "Mon, 02 Mar 2026 08:00:00 GMT"}
	for name, c := range map[string]struct {
		stored aggregator.Validators
		// The target knows one of the two, as a server that has both, or only dates.
		etag, date  bool
		notModified bool
	}{
		"a target with an ETag answers 304":                     {both, true, true, true},
		"a date alone is not asked of a target":                 {aggregator.Validators{LastModified: both.LastModified}, false, true, false},
		"nor beside an ETag that the target does not recognise": {both, false, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			target := serve(t, func(w http.ResponseWriter, r *http.Request) {
				h := r.Header
				if c.etag && h.Get("If-None-Match") == both.ETag || c.date && h.Get("If-Modified-Since") != "" {
					w.WriteHeader(http.StatusNotModified)
					return
				}
				fmt.Fprint(w, document)
			})
			var first http.Header
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				first = r.Header.Clone()
				http.Redirect(w, r, target.URL, http.StatusFound)
			})
			got := get(t, newClient(t, fetch.Options{}), fetch.Request{URL: s.URL, Validators: c.stored})
			if got.NotModified != c.notModified {
				t.Errorf("not modified: %t", got.NotModified)
			}
			if first.Get("If-Modified-Since") != c.stored.LastModified || first.Get("If-None-Match") != c.stored.ETag {
				t.Errorf("the first hop was asked with %v", first)
			}
		})
	}
}

func TestARedirectsRetryAfterIsForTheNextPoll(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/feed" {
			w.Header().Set("Retry-After", "7200")
			http.Redirect(w, r, "/there", http.StatusFound)
			return
		}
		fmt.Fprint(w, document)
	})
	got := get(t, newClient(t, fetch.Options{}), fetch.Request{URL: s.URL + "/feed"})
	if want := now().Add(2 * time.Hour); !got.RetryAfter.Equal(want) {
		t.Errorf("wait until %s, want %s", got.RetryAfter, want)
	}
}

func TestPrivateAddressesAreRefused(t *testing.T) {
	s := site(t)
	c := fetch.New(fetch.Options{})
	defer c.Close()
	for url, want := range map[string]string{
		s.URL: "address 127.0.0.1 is a loopback address, which is not connected to: if that is intended, set allow_private on the feed",
		strings.Replace(s.URL, "127.0.0.1", "localhost", 1): "is a loopback address",
		"http://169.254.169.254/latest/meta-data/":          "is a link-local address",
		"http://10.1.2.3/":           "is a private address",
		"http://0.0.0.0/":            "is an unspecified address",
		"http://[::ffff:127.0.0.1]/": "is a loopback address",
		"https://127.1.2.3/":         "is a loopback address",
	} {
		failure := fails(t, c, fetch.Request{URL: url})
		if !strings.Contains(failure.Error(), want) {
			t.Errorf("%s: %q, want %q", url, failure, want)
		}
	}
}

func TestRedirectsToPrivateAddressesAreRefused(t *testing.T) {
	inner := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a private server was asked") })
	outer := site(t)
	for name, target := range map[string]string{
		"metadata service": "http://169.254.169.254/latest/meta-data/",
		"loopback":         inner.URL,
		"loopback by name": strings.Replace(inner.URL, "127.0.0.1", "localhost", 1),
		"loopback as IPv6": strings.Replace(inner.URL, "127.0.0.1", "[::ffff:7f00:1]", 1),
	} {
		t.Run(name, func(t *testing.T) {
			network := chaos.NewNetwork()
			network.Host("outer.example", strings.TrimPrefix(outer.URL, "http://"))
			network.Answer("localhost", []netip.Addr{netip.MustParseAddr("127.0.0.1")})
			c := fetch.New(fetch.Options{Resolver: network, Connect: network.Connect})
			defer c.Close()
			failure := fails(t, c, fetch.Request{URL: "http://outer.example/to?" + target})
			if !strings.Contains(failure.Error(), "which is not connected to") || !strings.HasPrefix(failure.URL, target) {
				t.Errorf("%q of %s", failure, failure.URL)
			}
		})
	}
}

func TestPermissionIsTheRequestsOwn(t *testing.T) {
	s := site(t)
	c := fetch.New(fetch.Options{})
	defer c.Close()
	get(t, c, fetch.Request{URL: s.URL, AllowPrivate: true})
	// There is an open connection now, which this one must not find.
	fails(t, c, fetch.Request{URL: s.URL})
	get(t, c, fetch.Request{URL: s.URL, AllowPrivate: true})
}

func TestNotPublic(t *testing.T) {
	for text, want := range map[string]string{
		"0.0.0.0": "an unspecified address", "0.1.2.3": "an unspecified address",
		"10.255.255.255": "a private address", "172.16.0.1": "a private address", "172.31.255.255": "a private address",
		"192.168.1.1": "a private address", "100.64.0.1": "a carrier's internal address", "100.127.255.255": "a carrier's internal address",
		"127.255.255.254": "a loopback address", "169.254.169.254": "a link-local address", "192.0.0.1": "a protocol's own address",
		"192.0.2.1": "a documentation address", "198.51.100.1": "a documentation address", "203.0.113.1": "a documentation address",
		"198.19.255.255": "a benchmarking address", "192.88.99.1": "a 6to4 relay", "224.0.0.1": "a multicast address",
		"239.255.255.255": "a multicast address", "240.0.0.1": "a reserved address", "255.255.255.255": "a reserved address",
		"::": "an unspecified address", "::1": "a loopback address", "fc00::1": "a private address", "fd12:3456::1": "a private address",
		"fe80::1": "a link-local address", "fe80::1%eth0": "a link-local address", "fec0::1": "a private address",
		"ff02::1": "a multicast address", "2001::1": "a Teredo address", "2001:2::1": "a benchmarking address",
		"2001:20::1": "a protocol's own address", "2001:db8::1": "a documentation address", "3fff::1": "a documentation address",
		"2002:7f00:1::": "a 6to4 address", "100::1": "not a public address", "5f00::1": "not a public address",
		"::127.0.0.1": "not a public address", "64:ff9b:1::a00:1": "not a public address",
		"::ffff:10.0.0.1": "a private address", "::ffff:169.254.169.254": "a link-local address",
		"64:ff9b::127.0.0.1": "a loopback address", "64:ff9b::192.168.0.1": "a private address",

		"1.1.1.1": "", "9.255.255.255": "", "11.0.0.0": "", "100.63.255.255": "", "100.128.0.0": "", "172.15.255.255": "",
		"172.32.0.0": "", "192.167.255.255": "", "192.169.0.0": "", "223.255.255.255": "", "::ffff:1.1.1.1": "",
		"64:ff9b::1.1.1.1": "", "2606:4700::1111": "", "2a00:1450::1": "", "2001:4860::8888": "",
	} {
		if got := fetch.NotPublic(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s is %q, want %q", text, got, want)
		}
	}
}
