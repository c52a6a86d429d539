package story_test

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"github.com/topicwire/topicwire/aggregator/story"
)

func TestCanonical(t *testing.T) {
	news := func(message string) string { return base64.RawURLEncoding.EncodeToString([]byte(message)) }
	for name, tc := range map[string]struct{ in, want string }{
		"nothing to do":                         {"https://example.org/a/b?x=1", "https://example.org/a/b?x=1"},
		"scheme and host in lower case":         {"HTTPS://Example.ORG/Path", "https://example.org/Path"},
		"the scheme is kept":                    {"http://example.org/a", "http://example.org/a"},
		"white space around":                    {" \n https://example.org/a\t", "https://example.org/a"},
		"a line break inside":                   {"https://example.org/a\n/b", "https://example.org/a/b"},
		"default port of https":                 {"https://example.org:443/a", "https://example.org/a"},
		"default port of http":                  {"http://example.org:080/a", "http://example.org/a"},
		"the other scheme's port stays":         {"http://example.org:443/a", "http://example.org:443/a"},
		"an empty port":                         {"https://example.org:/a", "https://example.org/a"},
		"userinfo":                              {"https://me:secret@example.org/a", "https://example.org/a"},
		"an at sign in the path is no userinfo": {"https://example.org/@me", "https://example.org/@me"},
		"a final dot of the host":               {"https://example.org./a", "https://example.org/a"},
		"an international host":                 {"https://BÜCHER.example/a", "https://xn--bcher-kva.example/a"},
		"a host of another script":              {"https://مثال.إختبار/a", "https://xn--mgbh0fb.xn--kgbechtv/a"},
		"an encoded host":                       {"https://ex%61mple.org/a", "https://example.org/a"},
		"an underscore in the host":             {"https://my_blog.example.org/a", "https://my_blog.example.org/a"},
		"hyphens where IDNA bans them":          {"https://r3---sn.example.org/a", "https://r3---sn.example.org/a"},
		"an IPv6 host":                          {"http://[2001:DB8:0::1]:8080/a", "http://[2001:db8::1]:8080/a"},
		"a fragment":                            {"https://example.org/a#part", "https://example.org/a"},
		"a fragment that names a page":          {"https://example.org/a#!/b", "https://example.org/a#!/b"},
		"an empty fragment of that kind":        {"https://example.org/a#!", "https://example.org/a"},
		"the root":                              {"https://example.org/", "https://example.org"},
		"the root with a query":                 {"https://example.org/?p=12", "https://example.org?p=12"},
		"a trailing slash":                      {"https://example.org/a/", "https://example.org/a"},
		"a trailing slash before a query":       {"https://example.org/a/?x=1", "https://example.org/a?x=1"},
		"index.html stays":                      {"https://example.org/index.html", "https://example.org/index.html"},
		"dot segments":                          {"https://example.org/a/./b/../c/..", "https://example.org/a"},
		"encoded dot segments":                  {"https://example.org/a/%2E%2e/b", "https://example.org/b"},
		"dot segments above the root":           {"https://example.org/../../a", "https://example.org/a"},
		"a session id in the path":              {"https://example.org/a;jsessionid=1F?x=1", "https://example.org/a?x=1"},
		"hexadecimal digits in upper case":      {"https://example.org/%c3%a9", "https://example.org/%C3%A9"},
		"unreserved characters are decoded":     {"https://example.org/%7Eme/%41", "https://example.org/~me/A"},
		"reserved characters stay encoded":      {"https://example.org/a%2Fb%3Fc", "https://example.org/a%2Fb%3Fc"},
		"letters beyond ASCII are encoded":      {"https://example.org/é?q=é", "https://example.org/%C3%A9?q=%C3%A9"},
		"a space inside":                        {"https://example.org/a b", "https://example.org/a%20b"},
		"a stray per cent sign":                 {"https://example.org/100%?x=5%x", "https://example.org/100%25?x=5%25x"},
		"double encoding is not undone":         {"https://example.org/%2541", "https://example.org/%2541"},
		"an empty query":                        {"https://example.org/a?", "https://example.org/a"},
		"empty parameters":                      {"https://example.org/a?&x=1&&", "https://example.org/a?x=1"},
		"parameters are sorted by name":         {"https://example.org/?b=1&a=2", "https://example.org?a=2&b=1"},
		"equal names keep their order":          {"https://example.org/?b=2&a=9&b=1", "https://example.org?a=9&b=2&b=1"},
		"a parameter without a value":           {"https://example.org/?b&a=", "https://example.org?a=&b"},
		"a query escaped for XML twice":         {"https://example.org/?a=1&amp;utm_source=x&amp;b=2", "https://example.org?a=1&b=2"},
		"campaign parameters":                   {"https://example.org/a?utm_source=rss&UTM_Medium=feed&id=7", "https://example.org/a?id=7"},
		"an encoded campaign parameter":         {"https://example.org/a?utm%5Fsource=rss", "https://example.org/a"},
		"click ids":                             {"https://example.org/a?fbclid=1&gclid=2&msclkid=3&igshid=4", "https://example.org/a"},
		"mail campaigns":                        {"https://example.org/a?mc_cid=1&mc_eid=2&mkt_tok=3", "https://example.org/a"},
		"names that only look alike stay":       {"https://example.org/a?utmost=1&source=x", "https://example.org/a?source=x&utmost=1"},
		"a value that only feeds give":          {"https://example.org/a?source=rss", "https://example.org/a"},
		"a parameter of one host":               {"https://www.theguardian.com/a?CMP=share_btn", "https://www.theguardian.com/a"},
		"the same parameter elsewhere":          {"https://example.org/a?CMP=7", "https://example.org/a?CMP=7"},
		"a host under any top-level domain":     {"https://www.amazon.co.uk/dp/1?tag=x&psc=1", "https://www.amazon.co.uk/dp/1"},
		"not a host that pretends":              {"https://amazon.example.evil.example/?tag=x", "https://amazon.example.evil.example?tag=x"},
		"AMP asked for by a parameter":          {"https://example.org/a?amp", "https://example.org/a"},
		"AMP asked for with a value":            {"https://example.org/a?amp=1&id=2", "https://example.org/a?id=2"},
		"another parameter called amp":          {"https://example.org/a?amp=fender", "https://example.org/a?amp=fender"},
		"a Google redirect":                     {"https://www.google.com/url?q=https://example.org/a%3Fb%3D1&sa=U&usg=x", "https://example.org/a?b=1"},
		"a Google alert":                        {"https://www.google.com/url?rct=j&sa=t&url=https://example.org/a%3Futm_source%3Dx&ct=ga", "https://example.org/a"},
		"a redirect within a redirect":          {"https://l.facebook.com/l.php?u=https%3A%2F%2Fwww.google.com%2Furl%3Fq%3Dhttps%253A%252F%252Fexample.org%252Fa", "https://example.org/a"},
		"a redirect at the root":                {"https://out.reddit.com/?url=https%3A%2F%2Fexample.org%2Fa", "https://example.org/a"},
		"a redirect to nowhere stays":           {"https://www.google.com/url?q=javascript:alert(1)", "https://www.google.com/url?q=javascript:alert(1)"},
		"a redirect to a bad host stays":        {"https://www.google.com/url?q=http://a..b/", "https://www.google.com/url?q=http://a..b/"},
		"an AMP cache, https":                   {"https://example-org.cdn.ampproject.org/c/s/example.org/a/", "https://example.org/a"},
		"an AMP cache, http":                    {"https://example-org.cdn.ampproject.org/v/example.org/a", "http://example.org/a"},
		"Google's AMP viewer":                   {"https://www.google.com/amp/s/example.org/a", "https://example.org/a"},
		"an AMP page of Google's own":           {"https://developers.google.com/amp/cache/overview", "https://developers.google.com/amp/cache/overview"},
		"Google News, readable": {
			"https://news.google.com/rss/articles/" + news("\x08\x13\x22\x15https://example.org/a\xd2\x01\x00") + "?oc=5", "https://example.org/a"},
		"Google News, not readable": {
			"https://news.google.com/rss/articles/" + news("\x08\x13\x22\x06AU_yqL") + "?oc=5",
			"https://news.google.com/rss/articles/" + news("\x08\x13\x22\x06AU_yqL")},
		"Google News, length beyond the end": {
			"https://news.google.com/articles/" + news("\x08\x13\x22\x7fhttps://e"),
			"https://news.google.com/articles/" + news("\x08\x13\x22\x7fhttps://e")},

		"empty":               {"", ""},
		"relative":            {"/a/b", ""},
		"without a scheme":    {"example.org/a", ""},
		"another scheme":      {"ftp://example.org/a", ""},
		"a script":            {"javascript://example.org/%0aalert(1)", ""},
		"no host":             {"https:///a", ""},
		"an empty label":      {"https://a..b/", ""},
		"a port out of range": {"https://example.org:65536/", ""},
		"a port of letters":   {"https://example.org:http/", ""},
		"a host with a space": {"https://exa mple.org/", ""},
		"a bad IPv6 host":     {"https://[::1/", ""},
		"an IPv6 zone":        {"https://[fe80::1%25eth0]/", ""},
		"too long":            {"https://example.org/" + strings.Repeat("a", 16<<10), ""},
		"too long encoded":    {"https://example.org/" + strings.Repeat("é", 4<<10), ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := story.Canonical(tc.in)
			if got != tc.want {
				t.Errorf("Canonical(%q)\n got %q\nwant %q", tc.in, got, tc.want)
			}
			if again := story.Canonical(got); again != got {
				t.Errorf("Canonical(%q) = %q, want it unchanged", got, again)
			}
		})
	}
}

func TestKey(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"the scheme does not count":        {"http://example.org/a?x=1", "example.org/a?x=1"},
		"a port does":                      {"http://example.org:8080/a", "example.org:8080/a"},
		"a page named by its fragment":     {"https://example.org#!/a", "example.org#!/a"},
		"www":                              {"https://www.example.org/a", "example.org/a"},
		"m":                                {"https://m.example.org/a", "example.org/a"},
		"mobile and www":                   {"https://www.mobile.example.org/a", "example.org/a"},
		"amp":                              {"https://amp.example.org/a", "example.org/a"},
		"m behind a language":              {"https://en.m.example.org/wiki/A", "en.example.org/wiki/A"},
		"a domain called m":                {"https://m.example/a", "m.example/a"},
		"a name that only begins so":       {"https://mobiles.example.org/a", "mobiles.example.org/a"},
		"amp as the last segment":          {"https://example.org/a/amp", "example.org/a"},
		"amp as the first segment":         {"https://example.org/amp/a", "example.org/a"},
		"amp as the only segment":          {"https://example.org/amp", "example.org/amp"},
		"amp as the last before a query":   {"https://example.org/a/amp?x=1", "example.org/a?x=1"},
		"amp as an ending":                 {"https://example.org/a.amp", "example.org/a"},
		"amp before html":                  {"https://example.org/a.amp.html", "example.org/a.html"},
		"a word that ends in amp":          {"https://example.org/camp", "example.org/camp"},
		"a value that ends in amp":         {"https://example.org/a?x=/amp", "example.org/a?x=/amp"},
		"an address is no name with a www": {"http://192.0.2.1/a", "192.0.2.1/a"},
		"the root":                         {"https://www.example.org", "example.org"},
		"none":                             {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if canonical := story.Canonical(tc.in); canonical != tc.in {
				t.Fatalf("%q is not canonical: %q is", tc.in, canonical)
			}
			if got := story.Key(tc.in); got != tc.want {
				t.Errorf("Key(%q) = %q, want %q", tc.in, got, tc.want)
			}
		})
	}
}

// Whatever the URL: no panic, a canonical form that stays as it is, is bounded, plain ASCII and without a secret.
func FuzzCanonical(f *testing.F) {
	for _, seed := range []string{
		"https://user:pass@Example.org:443/a/../b;jsessionid=1/?b=1&a=%7e&utm_source=x#!c",
		"https://www.google.com/url?q=https://www.google.com/url?q=https%3A%2F%2Fexample.org",
		"https://news.google.com/rss/articles/CBMiFWh0dHBzOi8vZXhhbXBsZS5vcmcvYQ",
		"https://a-b.cdn.ampproject.org/c/s/a.b/c?amp=1", "http://[::1]:80/%zz", "https://bücher.example./?a&amp;b",
		"https://www.amazon.co.uk/?tag=1", "https://xn--a/", "https://m.www.example.org/amp/amp",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got := story.Canonical(raw)
		if again := story.Canonical(got); again != got {
			t.Errorf("Canonical(%q) = %q, and of that %q", raw, got, again)
		}
		if len(got) > 16<<10 {
			t.Errorf("Canonical(%q) has %d bytes", raw, len(got))
		}
		for _, c := range []byte(got) {
			if c <= ' ' || c >= 0x7f {
				t.Fatalf("Canonical(%q) = %q holds the byte %#x", raw, got, c)
			}
		}
		if u, err := url.Parse(got); got != "" && (err != nil || u.Host == "" || u.User != nil || u.Scheme == "") {
			t.Errorf("Canonical(%q) = %q, which net/url reads as %v, %v", raw, got, u, err)
		}
		key := story.Key(got)
		if (key == "") != (got == "") || len(key) > len(got) {
			t.Errorf("Key(%q) = %q", got, key)
		}
	})
}

func BenchmarkCanonical(b *testing.B) {
	for b.Loop() {
		story.Canonical("https://www.example.org/2026/01/31/a-title-of-a-post/?utm_source=rss&utm_medium=rss&utm_campaign=a")
	}
}
