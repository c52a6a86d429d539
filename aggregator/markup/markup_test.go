package markup_test

import (
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"github.com/topicwire/topicwire/aggregator/markup"
)

func TestPlainText(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"plain text is only folded":        {" one\n\t two ", "one two"},
		"entities are resolved":            {"AT&amp;T &lt;3 &eacute;&#8217;", "AT&T <3 é’"},
		"inline tags leave no gap":         {"data<b>ba</b>se", "database"},
		"blocks end a line":                {"<p>one</p><p>two<br>three</p>", "one\ntwo\nthree"},
		"list items are lines":             {"<ul><li>a<li>b</ul>c", "a\nb\nc"},
		"table cells do not run together":  {"<table><tr><td>1</td><td>2</td></tr></table>", "1\n2"},
		"scripts and styles are not read":  {"a<script>var x = '<p>no</p>'</script><style>p{}</style>b", "ab"},
		"comments are not read":            {"a<!-- no -->b", "ab"},
		"a lone less-than sign is text":    {"1 < 2 and <3", "1 < 2 and <3"},
		"an unclosed tag hides its rest":   {"seen <a href='x", "seen"},
		"no-break spaces are white space":  {"a&nbsp;b", "a b"},
		"right-to-left text is left alone": {"<p dir=rtl>حماية&nbsp;البيانات</p>", "حماية البيانات"},
		"an unclosed script hides its end": {"a<script>b", "a"},
		"bytes that are no UTF-8":          {"a\xffb <b>\xc3</b>", "a\uFFFDb \uFFFD"},
		"empty":                            {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := markup.PlainText(tc.in); got != tc.want {
				t.Errorf("PlainText(%q) = %q, want %q", tc.in, got, tc.want)
			}
		})
	}
}

// Text without markup is read in the cheapest way that it allows, which must make no difference.
func TestPlainTextOfText(t *testing.T) {
	pieces := []string{"a", "word", " ", "  ", "\n", "\t", "\v", "\x01", "é", "\u00a0", "\u0085", "\u3000", "\xff", "\xc3", ">"}
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		var b strings.Builder
		for range r.IntN(8) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		want := strings.Join(strings.Fields(string([]rune(b.String()))), " ")
		if got := markup.PlainText(b.String()); got != want {
			t.Fatalf("PlainText(%q) = %q, want %q", b.String(), got, want)
		}
	}
}

func TestAbsoluteLinks(t *testing.T) {
	base, err := url.Parse("https://example.org/blog/post?p=1")
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ in, want string }{
		"no link, byte for byte":     {"<p CLASS=x >a &nbsp; b</P>", "<p CLASS=x >a &nbsp; b</P>"},
		"absolute, byte for byte":    {"<a HREF=https://other.example/>x</a>", "<a HREF=https://other.example/>x</a>"},
		"relative to the folder":     {`<a href="next">x</a>`, `<a href="https://example.org/blog/next">x</a>`},
		"relative to the host":       {`<img src='/a.png' alt="A">`, `<img src="https://example.org/a.png" alt="A">`},
		"relative to the scheme":     {`<img src="//cdn.example/a.png"/>`, `<img src="https://cdn.example/a.png"/>`},
		"fragment":                   {`<a href="#n">1</a>`, `<a href="https://example.org/blog/post?p=1#n">1</a>`},
		"other schemes stay":         {`<a href="mailto:a@example.org">m</a>`, `<a href="mailto:a@example.org">m</a>`},
		"srcset":                     {`<img srcset="a.png 1x, /b.png 2x">`, `<img srcset="https://example.org/blog/a.png 1x, https://example.org/b.png 2x">`},
		"srcset without descriptors": {`<img srcset="a.png, b.png">`, `<img srcset="https://example.org/blog/a.png, https://example.org/blog/b.png">`},
		"no URL at all":              {`<a href="http://[bad">x</a>`, `<a href="http://[bad">x</a>`},
		"text around is kept":        {`1 < 2 <a href="/x">y</a> &amp; z`, `1 < 2 <a href="https://example.org/x">y</a> &amp; z`},
		"scripts are not rewritten":  {`<script>"<a href='x'>"</script>`, `<script>"<a href='x'>"</script>`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := markup.AbsoluteLinks(tc.in, base); got != tc.want {
				t.Errorf("AbsoluteLinks(%q)\n got %q\nwant %q", tc.in, got, tc.want)
			}
		})
	}
}

func TestAbsoluteLinksWithin(t *testing.T) {
	base, page := mustParse(t, "https://example.org/"), mustParse(t, "https://example.org/blog/post")
	const fragment = `<a href="#n1">1</a> <a href="next">2</a>`
	for name, tc := range map[string]struct {
		base, page *url.URL
		want       string
	}{
		"the page is known":     {base, page, `<a href="https://example.org/blog/post#n1">1</a> <a href="https://example.org/next">2</a>`},
		"the page is not known": {base, nil, `<a href="#n1">1</a> <a href="https://example.org/next">2</a>`},
		"nothing is known":      {nil, nil, fragment},
	} {
		t.Run(name, func(t *testing.T) {
			if got := markup.AbsoluteLinksWithin(fragment, tc.base, tc.page); got != tc.want {
				t.Errorf("got %q\nwant %q", got, tc.want)
			}
		})
	}
}

func mustParse(t testing.TB, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// FuzzAbsoluteLinks adds a relative link to the fragment, which must not change what becomes of the others: the short
// way for fragments without any agrees with the long one.
func FuzzAbsoluteLinks(f *testing.F) {
	for _, seed := range []string{
		`<a href="x">`, `<a href=http://a/ title="href=x">`, `<img srcset="http://a/b,c 1x,d 2x">`, `<img srcset='http://a/b 1x, "c"'>`,
		`<A HREF = ' http://a/ '>`, `<p data=x cite="#y">a = b</p>`, `<a href="&#104;ttp://a/">`, `<script>"<a href=x>"</script>`, `<a href="ht
tp:x">`,
	} {
		f.Add(seed)
	}
	base := mustParse(f, "https://example.org/dir/")
	f.Fuzz(func(t *testing.T, fragment string) {
		const added, resolved = `<i></i><a href="y"></a>`, `<i></i><a href="https://example.org/dir/y"></a>`
		both, ok := strings.CutSuffix(markup.AbsoluteLinks(fragment+added, base), resolved)
		if !ok {
			t.Skip("the fragment ends inside a tag")
		}
		if got := markup.AbsoluteLinks(fragment, base); got != both {
			t.Errorf("AbsoluteLinks(%q)\n      got %q\nthe long way %q", fragment, got, both)
		}
	})
}

func FuzzPlainText(f *testing.F) {
	f.Add("<p>a<b>c</b> &amp; d<script>e")
	f.Fuzz(func(t *testing.T, fragment string) {
		if got := markup.PlainText(fragment); len(got) > 2*len(fragment)+8 {
			t.Errorf("PlainText(%q) is longer than its source: %q", fragment, got)
		}
	})
}

func BenchmarkPlainText(b *testing.B) {
	fragment := strings.Repeat("<p>The ministry said that the draft on <b>data protection</b> would be put before the cabinet next week.</p>\n", 20)
	b.SetBytes(int64(len(fragment)))
	for b.Loop() {
		markup.PlainText(fragment)
	}
}
