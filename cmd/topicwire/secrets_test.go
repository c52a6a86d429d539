package main_test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// TestSecretsOfFeedsAreNeverShown has feeds with a password or a token in their URLs or a key in their headers, of which some
// fail, redirect and repeat the URL in what they serve, and looks for all three in everything that the program shows.
func TestSecretsOfFeedsAreNeverShown(t *testing.T) {
	const password, token, key = "pass-w0rd", "t0ken-of-the-feed", "k3y-in-a-header"
	t.Setenv("TOPICWIRE_TEST_KEY", key)
	t.Setenv("TOPICWIRE_TEST_TOKEN", token)
	var good, leaked atomic.Int32
	stranger := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, _, sent := r.BasicAuth(); sent || r.Referer() != "" || r.Header.Get("X-Key") != "" {
			leaked.Add(1)
		}
		fmt.Fprint(w, simpleFeed("stranger", 1))
	}))
	origin := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, sent, _ := r.BasicAuth()
		if sent != password && r.FormValue("key") != token && r.Header.Get("X-Key") != key {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		good.Add(1)
		switch filepath.Base(r.URL.Path) {
		case "broken":
			w.WriteHeader(http.StatusInternalServerError)
		case "moved":
			http.Redirect(w, r, "/feed?"+r.URL.RawQuery, http.StatusMovedPermanently)
		case "away":
			http.Redirect(w, r, stranger.URL+"/feed", http.StatusFound)
		case "loop":
			http.Redirect(w, r, r.URL.String(), http.StatusFound)
		default:
			fmt.Fprintf(w, `<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>x</title><link>http://%s/</link>
<atom:link rel="self" href="http://%[1]s%[2]s"/><item><title>cloud %[3]s</title><guid>%[3]s</guid></item></channel></rss>`,
				r.Host, strings.ReplaceAll(r.URL.String(), "&", "&amp;"), r.URL.Path)
		}
	}))
	host := strings.TrimPrefix(origin.URL, "http://")
	var config strings.Builder
	config.WriteString("listen: 127.0.0.1:0\nfetch: {allow_private: true, host_connections: 8, host_delay: 0s}\ntopics: [{id: cloud, query: cloud}]\nfeeds:\n")
	kinds := []string{"plain", "broken", "moved", "away", "loop", "refused"}
	for _, kind := range kinds {
		at := host
		if kind == "refused" {
			at = "127.0.0.1:1"
		}
		fmt.Fprintf(&config, "  - {id: user-%s, url: \"http://reader:%s@%s/%[1]s\"}\n", kind, password, at)
		fmt.Fprintf(&config, "  - {id: token-%s, url: \"http://%s/%[1]s?key=${TOPICWIRE_TEST_TOKEN}\"}\n", kind, at)
		fmt.Fprintf(&config, "  - {id: header-%s, url: \"http://%s/%[1]s?feed=3\", headers: {X-Key: \"${TOPICWIRE_TEST_KEY}\"}}\n", kind, at)
	}
	dir := workdir(t, config.String())
	d := start(t, dir, "run", "--log-level", "debug")
	shown := map[string]string{}
	add := func(args ...string) {
		r := topicwire(t, dir, args...)
		shown[strings.Join(args, " ")] = r.stdout + r.stderr
	}
	for range 2 {
		add("fetch", "--all")
	}
	if good.Load() < 15 {
		t.Fatalf("only %d requests brought a secret", good.Load())
	}
	add("feeds", "list")
	add("feeds", "list", "--json")
	for _, kind := range kinds {
		add("feeds", "show", "user-"+kind)
		add("feeds", "show", "token-"+kind, "--json")
		add("feeds", "show", "header-"+kind)
	}
	add("feeds", "export")
	add("export", "--format", "jsonl")
	add("export", "--format", "csv")
	add("topics", "test", "cloud", "--json")
	add("check")
	add("publish", "--static", "site")
	for _, path := range []string{"/", "/all", "/all.atom", "/all.rss", "/all.json", "/topics/cloud", "/topics/cloud.atom", "/status", "/opml", "/sources.opml",
		"/feeds/token-plain", "/feeds/token-plain.atom", "/feeds/user-plain.json"} {
		resp, err := http.Get(d.url + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		shown["GET "+path] = fmt.Sprint(resp.Header) + string(body)
	}
	err := filepath.WalkDir(filepath.Join(dir, "site"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		shown[path] = string(body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	d.stop(t)
	shown["the log"] = d.log.String()
	if !strings.Contains(shown["the log"], "feed=token-broken") || !strings.Contains(shown["GET /all.atom"], "cloud /plain") || len(shown) < 30 {
		t.Errorf("too little was looked at: %d places", len(shown))
	}
	for place, text := range shown {
		for _, secret := range []string{password, token, key} {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("%s shows a secret: ...%s...", place, bytes.TrimSpace([]byte(text[max(0, i-200):min(len(text), i+100)])))
			}
		}
	}
	if n := leaked.Load(); n > 0 {
		t.Errorf("the password was sent to another host %d times", n)
	}
}
