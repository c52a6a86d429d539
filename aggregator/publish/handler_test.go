package publish_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/publish"
)

func baseURL(u string) func(*publish.Options) { return func(o *publish.Options) { o.BaseURL = u } }

func TestWhatIsWhere(t *testing.T) {
	h := handler(t, sample())
	for path, want := range map[string]struct {
		status    int
		mediaType string
	}{
		"/":                                    {200, "text/html; charset=utf-8"},
		"/topics/cloud":                        {200, "text/html; charset=utf-8"},
		"/topics/cloud.atom":                   {200, "application/atom+xml; charset=utf-8"},
		"/topics/cloud.rss":                    {200, "application/rss+xml; charset=utf-8"},
		"/topics/cloud.json":                   {200, "application/feed+json"},
		"/topics/quiet.atom":                   {200, "application/atom+xml; charset=utf-8"},
		"/all":                                 {200, "text/html; charset=utf-8"},
		"/all.atom":                            {200, "application/atom+xml; charset=utf-8"},
		"/all.rss":                             {200, "application/rss+xml; charset=utf-8"},
		"/all.json":                            {200, "application/feed+json"},
		"/opml":                                {200, "text/x-opml; charset=utf-8"},
		"/healthz":                             {200, "text/plain; charset=utf-8"},
		"/style.css":                           {200, "text/css; charset=utf-8"},
		"/icon.svg":                            {200, "image/svg+xml"},
		"/topics/none":                         {404, "text/html; charset=utf-8"},
		"/topics/none.atom":                    {404, "text/html; charset=utf-8"},
		"/topics/.atom":                        {404, "text/html; charset=utf-8"},
		"/topics/cloud.xml":                    {404, "text/html; charset=utf-8"},
		"/all.atom.atom":                       {404, "text/html; charset=utf-8"},
		"/allatom":                             {404, "text/html; charset=utf-8"},
		"/web/index.html":                      {404, "text/html; charset=utf-8"},
		"/..%2f..%2fetc/passwd":                {404, "text/html; charset=utf-8"},
		"//evil.example/":                      {404, "text/html; charset=utf-8"},
		"/all.atom?limit=0":                    {400, "text/html; charset=utf-8"},
		"/all.atom?limit=-1":                   {400, "text/html; charset=utf-8"},
		"/all.atom?limit=many":                 {400, "text/html; charset=utf-8"},
		"/all.atom?limit=99999999999999999999": {200, "application/atom+xml; charset=utf-8"},
		"/all.atom?q=unknown":                  {400, "text/html; charset=utf-8"},
		"/all.atom?unknown=1":                  {200, "application/atom+xml; charset=utf-8"},
		"/feeds/courier.rss":                   {200, "application/rss+xml; charset=utf-8"},
		"/feeds/nobody.rss":                    {404, "text/html; charset=utf-8"},
		"/feeds/.rss":                          {404, "text/html; charset=utf-8"},
		"/feeds/courier":                       {404, "text/html; charset=utf-8"},
		"/sources.opml":                        {200, "text/x-opml; charset=utf-8"},
	} {
		w := get(t, h, path)
		if w.Code != want.status || w.Header().Get("Content-Type") != want.mediaType {
			t.Errorf("GET %s: %d %q, want %d %q", path, w.Code, w.Header().Get("Content-Type"), want.status, want.mediaType)
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Values("Set-Cookie") != nil {
			t.Errorf("GET %s: header %v", path, w.Header())
		}
		head := do(t, h, http.MethodHead, path)
		if head.Code != w.Code || head.Body.Len() != 0 || head.Header().Get("ETag") != w.Header().Get("ETag") {
			t.Errorf("HEAD %s: %d, %d bytes, ETag %q; GET has %d, %q", path, head.Code, head.Body.Len(), head.Header().Get("ETag"),
				w.Code, w.Header().Get("ETag"))
		}
	}
}

func TestASlashAtTheEndIsTakenOff(t *testing.T) {
	h := handler(t, sample(), baseURL("https://example.org/wire"))
	for path, want := range map[string]string{
		"/topics/cloud/":           "/wire/topics/cloud",
		"/wire/topics/cloud.atom/": "/wire/topics/cloud.atom",
		"/opml/":                   "/wire/opml",
		"/all/":                    "/wire/all",
		"/topics/":                 "/wire/",
	} {
		w := get(t, h, path)
		if w.Code != http.StatusMovedPermanently || w.Header().Get("Location") != want {
			t.Errorf("GET %s: %d to %q, want %q", path, w.Code, w.Header().Get("Location"), want)
		}
	}
}

func TestTheAddressOfTheSiteItself(t *testing.T) {
	for name, tc := range map[string]struct{ base, path, want string }{
		"the path that readers are told":   {"https://example.org/wire", "/wire", "/wire/"},
		"with a slash in the config":       {"https://example.org/wire/", "/wire", "/wire/"},
		"a longer path":                    {"https://example.org/news/wire", "/news/wire", "/news/wire/"},
		"a path with escapes":              {"https://example.org/the%20wire", "/the%20wire", "/the%20wire/"},
		"taken off whole by what is above": {"https://example.org/wire", "", "/wire/"},
	} {
		t.Run(name, func(t *testing.T) {
			h := handler(t, sample(), baseURL(tc.base))
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			var err error
			if r.URL, err = url.Parse(tc.path); err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if got := w.Header().Get("Location"); w.Code != http.StatusMovedPermanently || got != tc.want {
				t.Fatalf("GET %q: %d to %q, want %q", tc.path, w.Code, got, tc.want)
			}
			if w := get(t, h, tc.want); w.Code != http.StatusOK {
				t.Errorf("GET %q: %d", tc.want, w.Code)
			}
		})
	}
	if w := get(t, handler(t, sample(), baseURL("https://example.org/all")), "/all"); w.Code != http.StatusOK {
		t.Errorf("a path that is a page's too: %d; the proxy may have taken the first part off", w.Code)
	}
}

func TestOnlyReading(t *testing.T) {
	h := handler(t, sample())
	for _, path := range []string{"/", "/all.atom", "/healthz", "/style.css"} {
		w := do(t, h, http.MethodPost, path)
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("POST %s: %d, Allow %q", path, w.Code, w.Header().Get("Allow"))
		}
	}
}

func TestAPathBeforeTheSite(t *testing.T) {
	h := handler(t, sample(), baseURL("https://example.org/wire/"))
	for _, path := range []string{"/wire/topics/cloud", "/topics/cloud"} { // the proxy passes the path on, or does not
		body := get(t, h, path).Body.String()
		for _, want := range []string{`href="/wire/style.css?v=`, `href="/wire/topics/cloud.atom"`, `href="/wire/"`} {
			if !strings.Contains(body, want) {
				t.Errorf("GET %s has no %s", path, want)
			}
		}
	}
	atom := get(t, h, "/topics/cloud.atom").Body.Bytes()
	checkAtom(t, "https://example.org/wire/topics/cloud.atom", atom)
}

func TestConditions(t *testing.T) {
	clock := &clock{noon.Add(300 * time.Millisecond)}
	h := handler(t, sample(), clock.set)
	get(t, h, "/all.atom")
	clock.now = noon.Add(time.Hour)
	plain := get(t, h, "/all.atom")
	packed := get(t, h, "/all.atom", "Accept-Encoding", "gzip")
	etag, gzipped := plain.Header().Get("ETag"), packed.Header().Get("ETag")
	if !strings.HasPrefix(etag, `"`) || !strings.HasPrefix(gzipped, `"`) || etag == gzipped {
		t.Fatalf("entity tags %s and %s: want two strong ones", etag, gzipped)
	}
	modified := plain.Header().Get("Last-Modified")
	if modified != "Sun, 22 Nov 2026 12:00:01 GMT" {
		t.Fatalf("Last-Modified %q, want the second after the feed was first asked for", modified)
	}
	for name, tc := range map[string]struct {
		header []string
		want   int
	}{
		"the same tag":                    {[]string{"If-None-Match", etag}, 304},
		"a weak form of the tag":          {[]string{"If-None-Match", "W/" + etag}, 304},
		"a list with the tag":             {[]string{"If-None-Match", `"a,b", W/"c" ,` + etag}, 304},
		"two headers":                     {[]string{"If-None-Match", `"a"`, "If-None-Match", etag}, 304},
		"any tag":                         {[]string{"If-None-Match", "*"}, 304},
		"another tag":                     {[]string{"If-None-Match", `"x"`}, 200},
		"another tag wins over the date":  {[]string{"If-None-Match", `"x"`, "If-Modified-Since", modified}, 200},
		"the tag of the other encoding":   {[]string{"If-None-Match", etag, "Accept-Encoding", "gzip"}, 200},
		"the tag of the compressed form":  {[]string{"If-None-Match", gzipped, "Accept-Encoding", "gzip"}, 304},
		"the same date":                   {[]string{"If-Modified-Since", modified}, 304},
		"an older date":                   {[]string{"If-Modified-Since", "Sun, 22 Nov 2026 12:00:00 GMT"}, 200},
		"a later date, never sent":        {[]string{"If-Modified-Since", "Sun, 22 Nov 2026 12:00:02 GMT"}, 200},
		"a date in the asctime form":      {[]string{"If-Modified-Since", "Sun Nov 22 12:00:01 2026"}, 304},
		"a date that is none":             {[]string{"If-Modified-Since", "yesterday"}, 200},
		"the tag wins over an older date": {[]string{"If-None-Match", etag, "If-Modified-Since", "Sun, 22 Nov 2020 12:01:29 GMT"}, 304},
	} {
		t.Run(name, func(t *testing.T) {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				w := do(t, h, method, "/all.atom", tc.header...)
				if w.Code != tc.want {
					t.Errorf("%s: %d, want %d", method, w.Code, tc.want)
				}
				if w.Header().Get("ETag") == "" || w.Header().Get("Vary") != "Accept-Encoding" || w.Header().Get("Cache-Control") != "public, max-age=300" {
					t.Errorf("%s: header %v", method, w.Header())
				}
				if w.Code == http.StatusNotModified && w.Body.Len() > 0 {
					t.Errorf("%s: %d bytes with a 304", method, w.Body.Len())
				}
			}
		})
	}
}

func TestForHowLongAnAnswerMayBeKept(t *testing.T) {
	for maxAge, want := range map[time.Duration]string{
		0:                      "public, max-age=0, no-cache",
		500 * time.Millisecond: "public, max-age=0, no-cache",
		time.Hour:              "public, max-age=3600",
	} {
		h := handler(t, sample(), func(o *publish.Options) { o.MinAge, o.MaxAge = time.Hour, maxAge })
		for _, path := range []string{"/", "/topics/cloud", "/all.atom", "/opml", "/style.css"} {
			if got := get(t, h, path).Header().Get("Cache-Control"); got != want {
				t.Errorf("GET %s with a MaxAge of %v: Cache-Control %q, want %q", path, maxAge, got, want)
			}
		}
	}
}

func TestRenderedOncePerVersion(t *testing.T) {
	src := sample()
	h := handler(t, src)
	first := get(t, h, "/all.atom").Header().Get("ETag")
	get(t, h, "/all.atom", "Accept-Encoding", "gzip")
	do(t, h, http.MethodHead, "/all.atom")
	if n := src.reads.Load(); n != 1 {
		t.Errorf("the list was read %d times for one version", n)
	}
	src.stories = src.stories[1:]
	if get(t, h, "/all.atom").Header().Get("ETag") != first {
		t.Error("rendered anew though the version is the same")
	}
	src.version.Seq++
	if get(t, h, "/all.atom").Header().Get("ETag") == first || src.reads.Load() != 2 {
		t.Error("not rendered anew for a new version")
	}
}

func TestAskedForAtOnceRenderedOnce(t *testing.T) {
	src := sample()
	src.gate = make(chan struct{})
	h := handler(t, src)
	impatient, leave := context.WithCancel(t.Context())
	gone := make(chan int)
	go func() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/all.json", nil).WithContext(impatient))
		gone <- w.Code
	}()
	var others sync.WaitGroup
	for range 20 {
		others.Go(func() {
			if w := get(t, h, "/all.json"); w.Code != http.StatusOK {
				t.Errorf("answer %d", w.Code)
			}
		})
	}
	leave()
	<-gone // the one who leaves does not take the rendering along
	close(src.gate)
	others.Wait()
	if n := src.reads.Load(); n > 2 {
		t.Errorf("21 readers at once read the list %d times", n)
	}
}

func TestTheCacheIsBounded(t *testing.T) {
	src := sample()
	h := handler(t, src, func(o *publish.Options) { o.CacheBytes = 1 })
	get(t, h, "/all.atom")
	if w := get(t, h, "/all.atom"); w.Code != http.StatusOK || src.reads.Load() != 2 {
		t.Errorf("answer %d after %d reads; what is too big to keep is to be served all the same", w.Code, src.reads.Load())
	}
	h = handler(t, src, func(o *publish.Options) { o.CacheBytes = 256 << 10 })
	src.reads.Store(0)
	for n := 1; n <= 40; n++ {
		get(t, h, fmt.Sprintf("/all.atom?limit=%d", n))
	}
	get(t, h, "/all.atom?limit=40")
	if n := src.reads.Load(); n != 40 {
		t.Errorf("the latest was not kept: %d reads", n)
	}
	get(t, h, "/all.atom?limit=1")
	if n := src.reads.Load(); n != 41 {
		t.Errorf("all 40 were kept in a quarter of 256 KiB: %d reads", n)
	}
}

// What is compressed later counts too. Cuts of feeds have a quarter of the memory.
func TestTheCacheIsBoundedWithAllEncodings(t *testing.T) {
	src := sample()
	noise := make([]byte, 8_000)
	rand.NewChaCha8([32]byte{}).Read(noise)
	src.stories[0].Items[0].Content = hex.EncodeToString(noise) // half of it stays when it is compressed
	h := handler(t, src, func(o *publish.Options) { o.CacheBytes = 4 * (300 << 10) })
	ask := func(coding string) (reads int64) {
		src.reads.Store(0)
		for n := 1; n <= 10; n++ {
			get(t, h, fmt.Sprintf("/all.atom?limit=%d", n), "Accept-Encoding", coding)
		}
		return src.reads.Load()
	}
	ask("")
	if n := ask(""); n != 0 {
		t.Fatalf("of ten feeds of 20 KiB, %d were not kept in 300 KiB", n)
	}
	ask("gzip")
	ask("br")
	if n := ask(""); n == 0 {
		t.Error("all ten were kept in 300 KiB with both of their compressed forms")
	}
}

func TestAStoreThatFails(t *testing.T) {
	src := sample()
	src.err = errors.New("disk on fire")
	var log strings.Builder
	h := handler(t, src, func(o *publish.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	for _, path := range []string{"/", "/all", "/all.atom", "/healthz"} {
		w := get(t, h, path)
		if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "fire") || strings.Contains(w.Header().Get("Cache-Control"), "public") {
			t.Errorf("GET %s: %d %v %s", path, w.Code, w.Header(), w.Body)
		}
	}
	if !strings.Contains(log.String(), "disk on fire") {
		t.Errorf("the log does not say why: %s", log.String())
	}
	src.err = nil
	if w := get(t, h, "/all.atom"); w.Code != http.StatusOK {
		t.Errorf("after the store is back: %d", w.Code)
	}
}

func TestHowManyStories(t *testing.T) {
	src := &memory{}
	for hour := range 1500 {
		src.stories = append(src.stories, story(item("a", fmt.Sprint(hour), hour, "cloud")))
	}
	for name, tc := range map[string]struct {
		change func(*publish.Options)
		path   string
		want   int
	}{
		"at least so many, whatever their age": {func(o *publish.Options) { o.Stories = 70 }, "/all.atom", 70},
		"all of the window, however many":      {func(o *publish.Options) { o.Stories = 20 }, "/all.atom", 49},
		"by default fifty and two days":        {func(*publish.Options) {}, "/all.atom", 50},
		"never more than a thousand":           {func(o *publish.Options) { o.Window = 5000 * time.Hour }, "/all.atom", 1000},
		"a reader may want fewer":              {func(*publish.Options) {}, "/all.atom?limit=3", 3},
		"a reader may want more":               {func(*publish.Options) {}, "/all.atom?limit=300", 300},
		"a reader may not want everything":     {func(*publish.Options) {}, "/all.atom?limit=5000", 1000},
		"a page has fifty":                     {func(o *publish.Options) { o.Stories = 200 }, "/all", 50},
	} {
		t.Run(name, func(t *testing.T) {
			body := get(t, handler(t, src, tc.change), tc.path).Body.String()
			if got := strings.Count(body, "<entry") + strings.Count(body, "<article"); got != tc.want {
				t.Errorf("GET %s: %d stories, want %d", tc.path, got, tc.want)
			}
		})
	}
}

func TestPagesAskNobodyElse(t *testing.T) {
	h := handler(t, sample())
	for _, path := range []string{"/", "/topics/cloud", "/topics/none"} {
		w := get(t, h, path)
		policy := w.Header().Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; style-src 'self'; img-src 'self';") || w.Header().Get("Referrer-Policy") == "" {
			t.Errorf("GET %s: policy %q, header %v", path, policy, w.Header())
		}
	}
	body := get(t, h, "/").Body.String()
	style := body[strings.Index(body, `href="/style.css`)+6:]
	style = style[:strings.IndexByte(style, '"')]
	if w := get(t, h, style); !strings.Contains(w.Header().Get("Cache-Control"), "max-age=31536000") {
		t.Errorf("GET %s: %v", style, w.Header())
	}
	if w := get(t, h, "/style.css?v=0"); !strings.Contains(w.Header().Get("Cache-Control"), "max-age=300") {
		t.Errorf("the style sheet of another version: %v", w.Header())
	}
}

func TestOptions(t *testing.T) {
	for name, change := range map[string]func(*publish.Options){
		"no base URL":            baseURL(""),
		"a relative base URL":    baseURL("/wire"),
		"another scheme":         baseURL("ftp://example.org"),
		"a query":                baseURL("https://example.org/?a=b"),
		"no authority":           func(o *publish.Options) { o.Authority = "" },
		"an authority with port": func(o *publish.Options) { o.Authority = "example.org:80,2026" },
		"an authority undated":   func(o *publish.Options) { o.Authority = "example.org" },
		"a date that is none":    func(o *publish.Options) { o.Authority = "example.org,2026-13" },
		"an age below nothing":   func(o *publish.Options) { o.MaxAge = -time.Second },
		"a topic twice":          func(o *publish.Options) { o.Topics = append(o.Topics, o.Topics[0]) },
		"a topic without id":     func(o *publish.Options) { o.Topics = append(o.Topics, aggregator.Topic{Title: "x"}) },
	} {
		t.Run(name, func(t *testing.T) {
			o := options()
			change(&o)
			if h, err := publish.New(&memory{}, o); err == nil || h != nil {
				t.Errorf("New: %v, %v; want an error", h, err)
			}
		})
	}
	for _, authority := range []string{"example.org,2026", "ops@example.org,2026-11", "127.0.0.1,2026-11-23"} {
		handler(t, &memory{}, func(o *publish.Options) { o.Authority = authority })
	}
}

// broken is a source with a bug in it.
type broken struct{ *memory }

func (broken) Feed(context.Context, aggregator.FeedID) (aggregator.FeedStatus, error) {
	panic("a bug")
}

func TestAPanicEndsOneRequestOnly(t *testing.T) {
	var log strings.Builder
	h := handler(t, broken{sample()}, func(o *publish.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	if w := get(t, h, "/all.atom"); w.Code != http.StatusServiceUnavailable || !strings.Contains(log.String(), "a bug") {
		t.Errorf("answer %d, log %s", w.Code, log.String())
	}
	if w := get(t, h, "/topics/quiet.atom"); w.Code != http.StatusOK {
		t.Errorf("afterwards, a topic without the bug: %d", w.Code)
	}
}
