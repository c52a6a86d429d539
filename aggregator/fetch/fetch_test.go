package fetch_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/fetch"
)

const document = `<?xml version="1.0"?><rss version="2.0"><channel><title>Wire</title></channel></rss>`

// now is the clock of all tests.
func now() time.Time { return time.Date(2026, 3, 2, 10, 20, 0, 0, time.UTC) }

// newClient makes a client that may reach the tests' servers.
func newClient(t testing.TB, o fetch.Options) *fetch.Client {
	t.Helper()
	o.AllowPrivate = true
	if o.Now == nil {
		o.Now = now
	}
	c := fetch.New(o)
	t.Cleanup(c.Close)
	return c
}

func serve(t testing.TB, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s
}

func get(t testing.TB, c *fetch.Client, req fetch.Request) *fetch.Response {
	t.Helper()
	resp, err := c.Get(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// fails makes a request that must end in an *Error.
func fails(t testing.TB, c *fetch.Client, req fetch.Request) *fetch.Error {
	t.Helper()
	resp, err := c.Get(t.Context(), req)
	var failure *fetch.Error
	if !errors.As(err, &failure) {
		t.Fatalf("Get = %+v, %v; want a *fetch.Error", resp, err)
	}
	return failure
}

func TestRequestSaysWhoAsksAndNothingElse(t *testing.T) {
	var seen *http.Request
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r.Clone(context.Background())
		w.Header().Set("Set-Cookie", "track=1")
		fmt.Fprint(w, document)
	})
	c := newClient(t, fetch.Options{UserAgent: "topicwire/1.0 (+https://example.org/about)"})
	want := http.Header{
		"User-Agent": {"topicwire/1.0 (+https://example.org/about)"},
		"Accept": {"application/atom+xml, application/rss+xml;q=0.9, application/feed+json;q=0.9, " +
			"application/rdf+xml;q=0.8, application/xml;q=0.7, text/xml;q=0.7, */*;q=0.1"},
		"Accept-Encoding": {"gzip, br, zstd"},
	}
	for range 2 { // the second time round there is a cookie to resist
		get(t, c, fetch.Request{URL: s.URL + "/feed?b=2&a=%41#part"})
		if diff := cmp.Diff(want, seen.Header); diff != "" {
			t.Errorf("headers (-want +got):\n%s", diff)
		}
		if seen.Method != "GET" || seen.RequestURI != "/feed?b=2&a=%41" {
			t.Errorf("asked %s %s", seen.Method, seen.RequestURI)
		}
	}
	get(t, c, fetch.Request{URL: s.URL, Validators: aggregator.Validators{ETag: `"x"`, LastModified: "yesterday"}})
	want["If-None-Match"], want["If-Modified-Since"], want["A-Im"] = []string{`"x"`}, []string{"yesterday"}, []string{"feed"}
	if diff := cmp.Diff(want, seen.Header); diff != "" {
		t.Errorf("conditional headers (-want +got):\n%s", diff)
	}
	get(t, c, fetch.Request{URL: s.URL, Validators: aggregator.Validators{LastModified: "yesterday"}})
	delete(want, "If-None-Match")
	delete(want, "A-Im") // a date does not name the document that a difference would be to
	if diff := cmp.Diff(want, seen.Header); diff != "" {
		t.Errorf("headers with a date alone (-want +got):\n%s", diff)
	}
}

func TestValidatorsComeBackByteForByte(t *testing.T) {
	for name, v := range map[string]aggregator.Validators{
		"usual":            {ETag: `"33a64df5"`, LastModified: "Mon, 02 Mar 2026 08:00:00 GMT"},
		"weak":             {ETag: `W/"33a64df5"`},
		"no quotes":        {ETag: `33a64df5`},
		"quotes inside":    {ETag: `"a"b""`, LastModified: "Mon, 2 Mär 2026 08:00"},
		"bytes, not UTF-8": {ETag: "\"\xff\xfe\x80\""},
		"a list":           {ETag: `"a", "b"`},
		"date with offset": {LastModified: "2026-03-02T08:00:00+05:00"},
	} {
		t.Run(name, func(t *testing.T) {
			var asked aggregator.Validators
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				asked = aggregator.Validators{ETag: r.Header.Get("If-None-Match"), LastModified: r.Header.Get("If-Modified-Since")}
				if asked != (aggregator.Validators{}) {
					w.WriteHeader(http.StatusNotModified)
					return
				}
				if v.ETag != "" {
					w.Header()["Etag"] = []string{v.ETag}
				}
				if v.LastModified != "" {
					w.Header()["Last-Modified"] = []string{v.LastModified}
				}
				fmt.Fprint(w, document)
			})
			c := newClient(t, fetch.Options{})
			first := get(t, c, fetch.Request{URL: s.URL})
			if first.Validators != v || first.NotModified || string(first.Body) != document {
				t.Errorf("first answer %+v", first)
			}
			second := get(t, c, fetch.Request{URL: s.URL, Validators: first.Validators})
			if asked != v {
				t.Errorf("asked with %+q, want %+q", asked, v)
			}
			if !second.NotModified || second.Status != 304 || second.Body != nil || second.Validators != v {
				t.Errorf("second answer %+v", second)
			}
		})
	}
}

func TestNewValidators(t *testing.T) {
	old := aggregator.Validators{ETag: `"old"`, LastModified: "old date"}
	for name, c := range map[string]struct {
		status int
		etag   string
		date   string
		want   aggregator.Validators
	}{
		"200 replaces both":            {200, `"new"`, "new date", aggregator.Validators{ETag: `"new"`, LastModified: "new date"}},
		"200 forgets what it lacks":    {200, "", "new date", aggregator.Validators{LastModified: "new date"}},
		"200 without any forgets both": {200, "", "", aggregator.Validators{}},
		"304 takes over what it has":   {304, `"new"`, "", aggregator.Validators{ETag: `"new"`, LastModified: "old date"}},
		"304 with a date":              {304, "", "new date", aggregator.Validators{ETag: `"old"`, LastModified: "new date"}},
		"304 without any keeps both":   {304, "", "", old},
		"203 is a document like a 200": {203, `"new"`, "", aggregator.Validators{ETag: `"new"`}},
		"one too long to send is none": {200, `"` + strings.Repeat("x", 5000) + `"`, "", aggregator.Validators{}},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if c.etag != "" {
					w.Header().Set("Etag", c.etag)
				}
				if c.date != "" {
					w.Header().Set("Last-Modified", c.date)
				}
				w.WriteHeader(c.status)
			})
			got := get(t, newClient(t, fetch.Options{}), fetch.Request{URL: s.URL, Validators: old})
			if got.Validators != c.want {
				t.Errorf("validators %+v, want %+v", got.Validators, c.want)
			}
		})
	}
}

func TestResponse(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/feed.xml?x=1", http.StatusMovedPermanently)
			return
		}
		w.Header().Set("Content-Type", "text/xml; charset=koi8-r")
		w.Header().Set("Date", "Mon, 02 Mar 2026 10:20:00 GMT")
		fmt.Fprint(w, document)
	})
	got := get(t, newClient(t, fetch.Options{}), fetch.Request{URL: strings.Replace(s.URL, "//", "//me:s3cret@", 1)})
	want := &fetch.Response{
		URL: s.URL + "/feed.xml?x=1", Status: 200, ContentType: "text/xml; charset=koi8-r",
		Moved: s.URL + "/feed.xml?x=1", Private: true, Body: []byte(document), Bytes: int64(len(document)),
		Freshness: fetch.Freshness{Date: "Mon, 02 Mar 2026 10:20:00 GMT"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("response (-want +got):\n%s", diff)
	}
}

func TestRetryAfter(t *testing.T) {
	date := "Mon, 02 Mar 2026 10:20:00 GMT"
	for name, c := range map[string]struct {
		status      int
		value, date string
		want        time.Duration // from now; 0 for none
	}{
		"seconds":                              {429, "90", date, 90 * time.Second},
		"seconds, publisher's clock wrong":     {429, "90", "Mon, 02 Mar 2020 10:20:00 GMT", 90 * time.Second},
		"a date":                               {503, "Mon, 02 Mar 2026 12:20:00 GMT", date, 2 * time.Hour},
		"a date, publisher's clock a day slow": {503, "Sun, 01 Mar 2026 12:20:00 GMT", "Sun, 01 Mar 2026 10:20:00 GMT", 2 * time.Hour},
		"a date as of RFC 850":                 {503, "Monday, 02-Mar-26 11:20:00 GMT", date, time.Hour},
		"a date as of asctime":                 {503, "Mon Mar  2 11:20:00 2026", date, time.Hour},
		"a date without a Date beside it":      {503, "Mon, 02 Mar 2026 12:20:00 GMT", "-", 2 * time.Hour},
		"on a 403 too":                         {403, "3600", date, time.Hour},
		"on a 404 too":                         {404, "3600", date, time.Hour},
		"a date that has passed":               {503, "Mon, 02 Mar 2026 09:20:00 GMT", date, 0},
		"zero":                                 {503, "0", date, 0},
		"negative":                             {503, "-5", date, 0},
		"nonsense":                             {503, "soon", date, 0},
		"for ever":                             {503, "99999999999999999999", date, 10 * 365 * 24 * time.Hour},
		"a date for ever":                      {503, "Fri, 31 Dec 9999 23:59:59 GMT", date, 10 * 365 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", c.value)
				w.Header()["Date"] = []string{c.date}
				w.WriteHeader(c.status)
			})
			failure := fails(t, newClient(t, fetch.Options{}), fetch.Request{URL: s.URL})
			want := time.Time{}
			if c.want != 0 {
				want = now().Add(c.want)
				if text := "asks to wait until " + want.Format("2006-01-02 15:04:05 UTC"); !strings.Contains(failure.Error(), text) {
					t.Errorf("%q does not say %q", failure, text)
				}
			}
			if !failure.RetryAfter.Equal(want) || failure.Status != c.status {
				t.Errorf("status %d, wait until %s; want %d, %s", failure.Status, failure.RetryAfter, c.status, want)
			}
		})
	}
}

func TestCallerWhoGivesUpGetsItsOwnReason(t *testing.T) {
	arrived := make(chan struct{})
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	})
	stop := errors.New("shutting down")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() { <-arrived; cancel(stop) }()
	_, err := newClient(t, fetch.Options{}).Get(ctx, fetch.Request{URL: s.URL})
	var failure *fetch.Error
	if !errors.Is(err, stop) || errors.As(err, &failure) {
		t.Errorf("Get = %v, want the context's cause and not the feed's failure", err)
	}
}

func TestHTTP2(t *testing.T) {
	var proto string
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proto = r.Proto
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("Etag", `"1"`)
		fmt.Fprint(w, document)
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	c := newClient(t, fetch.Options{Roots: rootsOf(s)})
	first := get(t, c, fetch.Request{URL: s.URL})
	second := get(t, c, fetch.Request{URL: s.URL, Validators: first.Validators})
	if proto != "HTTP/2.0" || string(first.Body) != document || !second.NotModified {
		t.Errorf("%s: %+v, then %+v", proto, first, second)
	}
}

func rootsOf(s *httptest.Server) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return pool
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	var mu sync.Mutex
	connections := 0
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/304":
			w.WriteHeader(http.StatusNotModified)
		case "/404":
			http.NotFound(w, r)
		case "/301":
			http.Redirect(w, r, "/", http.StatusMovedPermanently)
		default:
			fmt.Fprint(w, document)
		}
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		if state == http.StateNew {
			connections++
		}
	}
	s.Start()
	defer s.Close()
	c := newClient(t, fetch.Options{})
	for range 5 {
		get(t, c, fetch.Request{URL: s.URL})
		get(t, c, fetch.Request{URL: s.URL + "/301"})
		get(t, c, fetch.Request{URL: s.URL + "/304", Validators: aggregator.Validators{ETag: "x"}})
		fails(t, c, fetch.Request{URL: s.URL + "/404"})
	}
	mu.Lock()
	defer mu.Unlock()
	if connections != 1 {
		t.Errorf("25 answers took %d connections, want 1", connections)
	}
}

func TestManyAtOnceShareNothingAndLeaveNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Path[1:]
		encode, ok := encoders[name[strings.IndexByte(name, '-')+1:]]
		switch {
		case ok:
			w.Header().Set("Content-Encoding", name[strings.IndexByte(name, '-')+1:])
			_, _ = w.Write(encode([]byte(strings.Repeat(name, 3000))))
		case strings.HasSuffix(name, "stall"):
			<-r.Context().Done()
		default:
			panic(http.ErrAbortHandler)
		}
	}))
	c := fetch.New(fetch.Options{AllowPrivate: true, Timeout: 5 * time.Second})
	stalled := fetch.New(fetch.Options{AllowPrivate: true, Timeout: 50 * time.Millisecond})
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			for name := range encoders {
				path := fmt.Sprintf("%d-%s", i, name)
				resp, err := c.Get(context.Background(), fetch.Request{URL: s.URL + "/" + path})
				if err != nil || string(resp.Body) != strings.Repeat(path, 3000) {
					t.Errorf("%s: %v", path, err)
				}
			}
			if _, err := c.Get(context.Background(), fetch.Request{URL: s.URL + "/abort"}); err == nil {
				t.Error("an aborted answer is no error")
			}
			if _, err := stalled.Get(context.Background(), fetch.Request{URL: s.URL + "/stall"}); err == nil {
				t.Error("a stalled answer is no error")
			}
		})
	}
	wg.Wait()
	c.Close()
	stalled.Close()
	s.Close()
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
		}
	}
}
