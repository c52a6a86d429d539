package hosts_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/topicwire/topicwire/aggregator/hosts"
)

func TestKeyOf(t *testing.T) {
	for url, want := range map[string]hosts.Key{
		// One domain, whatever the names below it, the scheme, the port, the path and the credentials.
		"https://example.org/feed":              {Host: "example.org", Tenant: "example.org"},
		"http://feeds.example.org:8080/":        {Host: "example.org", Tenant: "example.org"},
		"https://a.b.c.Example.ORG./feed?x=1#y": {Host: "example.org", Tenant: "example.org"},
		"https://me:p%40ss@www.example.org/":    {Host: "example.org", Tenant: "example.org"},
		"https://feeds.bbci.co.uk/news/rss.xml": {Host: "bbci.co.uk", Tenant: "bbci.co.uk"},
		"https://www.dawn.com.pk/feeds/":        {Host: "dawn.com.pk", Tenant: "dawn.com.pk"},
		"https://staff.tumblr.com/rss":          {Host: "tumblr.com", Tenant: "tumblr.com"},
		"https://a.city.kawasaki.jp/":           {Host: "city.kawasaki.jp", Tenant: "city.kawasaki.jp"},
		"https://xn--80aswg.xn--p1ai/feed":      {Host: "xn--80aswg.xn--p1ai", Tenant: "xn--80aswg.xn--p1ai"},
		"https://\u00fcber.example.de/":         {Host: "example.de", Tenant: "example.de"},
		"https://co.uk/":                        {Host: "co.uk", Tenant: "co.uk"},
		"https://com/":                          {Host: "com", Tenant: "com"},

		// Platforms: one host, and a tenant for each name.
		"https://news.blogspot.com/feeds/posts":    {Host: "blogspot.com", Tenant: "news.blogspot.com"},
		"https://www.news.blogspot.com/":           {Host: "blogspot.com", Tenant: "news.blogspot.com"},
		"https://blogspot.com/":                    {Host: "blogspot.com", Tenant: "blogspot.com"},
		"https://someone.github.io/atom.xml":       {Host: "github.io", Tenant: "someone.github.io"},
		"https://b.s3.eu-west-1.amazonaws.com/rss": {Host: "amazonaws.com", Tenant: "b.s3.eu-west-1.amazonaws.com"},

		// What is not in the public name space is taken by host and port.
		"http://127.0.0.1:8080/feed":     {Host: "127.0.0.1:8080", Tenant: "127.0.0.1:8080"},
		"http://127.0.0.1/feed":          {Host: "127.0.0.1:80", Tenant: "127.0.0.1:80"},
		"https://[2001:db8::1]/feed":     {Host: "[2001:db8::1]:443", Tenant: "[2001:db8::1]:443"},
		"https://[2001:DB8::1]:444/feed": {Host: "[2001:db8::1]:444", Tenant: "[2001:db8::1]:444"},
		"http://localhost/":              {Host: "localhost:80", Tenant: "localhost:80"},
		"https://intranet/":              {Host: "intranet:443", Tenant: "intranet:443"},
		"http://wiki.corp.internal:90/":  {Host: "wiki.corp.internal:90", Tenant: "wiki.corp.internal:90"},
		"http://printer.local/":          {Host: "printer.local:80", Tenant: "printer.local:80"},

		// Nothing panics, and what differs stays apart.
		"":            {},
		"feed":        {Host: "feed", Tenant: "feed"},
		"http://":     {Host: "http://", Tenant: "http://"},
		"http://%zz/": {Host: "http://%zz/", Tenant: "http://%zz/"},
		"http://./":   {Host: ":80", Tenant: ":80"},
		"http://.../": {Host: "..:80", Tenant: "..:80"},
	} {
		if got := hosts.KeyOf(url); got != want {
			t.Errorf("KeyOf(%q) = %q, want %q", url, got, want)
		}
	}
}

func FuzzKeyOf(f *testing.F) {
	for _, raw := range []string{"https://www.example.org/", "http://a.blogspot.com", "http://[::1]:80/", "http://.com", "http://\xff..uk"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		key := hosts.KeyOf(raw)
		if !strings.HasSuffix(key.Tenant, key.Host) {
			t.Errorf("the tenant %q is not the host's, %q", key.Tenant, key.Host)
		}
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" {
			return
		}
		// Names of one host are one host.
		u.Path, u.User, u.RawQuery = "/else", nil, ""
		if other := hosts.KeyOf(u.String()); other != key {
			t.Errorf("%q is %q, %q is %q", raw, key, u, other)
		}
	})
}

func BenchmarkKeyOf(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		hosts.KeyOf("https://feeds.someone.blogspot.com/feeds/posts/default?alt=rss")
	}
}

func TestCheckName(t *testing.T) {
	for name, want := range map[string]string{
		"blogspot.com": "", "bbc.co.uk": "", "192.0.2.1": "", "192.0.2.1:8080": "", "intranet": "", "intranet:80": "",
		"[2001:db8::1]": "", "[2001:db8::1]:80": "",
		"news.blogspot.com": "shares the limit of all of blogspot.com; write blogspot.com",
		"www.example.org":   "shares the limit of all of example.org; write example.org",
		"":                  "is no name of a host; write its domain, as in blogspot.com, or its address, as in 192.0.2.1",
	} {
		got := ""
		if err := hosts.CheckName(name); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("CheckName(%q) = %q, want %q", name, got, want)
		}
	}
}
