package scan_test

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mmcdole/gofeed"

	"github.com/topicwire/topicwire/aggregator/parse/internal/specimen"
	"github.com/topicwire/topicwire/aggregator/parse/scan"
)

// attack is a document that costs a parser far more than it costs to send, or would cost Scan so.
type attack struct {
	name string
	body func() []byte
	// refused means that Scan must not let it pass; others it may, if the parser gets by with it.
	refused bool
}

const mega = 1 << 20

func inChannel(s string) []byte {
	return []byte(`<rss version="2.0" xmlns:x="urn:x"><channel>` + s + `</channel></rss>`)
}

func repeated(piece string, size int) string { return strings.Repeat(piece, size/len(piece)) }

// prefixes declares so many namespaces.
func prefixes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ` xmlns:n%d="urn:%d"`, i, i)
	}
	return b.String()
}

var attacks = []attack{
	{"elements nested two million deep", func() []byte {
		return inChannel("<item><x:a>" + strings.Repeat("<a>", 2_000_000) + strings.Repeat("</a>", 2_000_000) + "</x:a></item>")
	}, true},
	{"elements nested and never closed", func() []byte { return inChannel("<item><x:a>" + strings.Repeat("<a>", 2_000_000)) }, false},
	{"containers nested and never closed", func() []byte { return inChannel("<item>" + strings.Repeat("<media:group>", 500_000)) }, false},
	{"xml:base nested", func() []byte {
		return inChannel("<item>" + strings.Repeat(`<x:a xml:base="aaaaaaaa/">`, 20_000) + strings.Repeat("</x:a>", 20_000) + "</item>")
	}, true},
	{"xml:base nested as deep as may be, often", func() []byte {
		deep := strings.Repeat(`<x:a xml:base="`+strings.Repeat("a", 2000)+`/">`, 7) + strings.Repeat("</x:a>", 7)
		return inChannel("<item>" + repeated(deep, 12*mega) + "</item>")
	}, false},
	{"namespaces on a parent of deep elements", func() []byte {
		return inChannel("<item><x:p" + prefixes(2000) + ">" + strings.Repeat("<a>", 5000) + strings.Repeat("</a>", 5000) + "</x:p></item>")
	}, true},
	{"1000 namespaces on the channel, 5000 items", func() []byte {
		return []byte("<rss version=\"2.0\"><channel" + prefixes(1000) + ">" + strings.Repeat("<item><title>t</title></item>", 5000) + "</channel></rss>")
	}, true},
	{"as many namespaces as may be, many elements", func() []byte {
		return []byte("<rss version=\"2.0\"><channel" + prefixes(100) + ">" + repeated("<n1:a/>", 12*mega) + "</channel></rss>")
	}, true},
	{"CDATA sections in an extension", func() []byte {
		return inChannel("<item><x:a>" + strings.Repeat("<![CDATA[a]]>", 400_000) + "</x:a></item>")
	}, true},
	{"text in pieces between elements of an extension", func() []byte {
		return inChannel("<item><x:a>" + strings.Repeat("aaaaaaaaaa<b/>", 200_000) + "</x:a></item>")
	}, true},
	{"text in pieces between comments of an extension", func() []byte {
		return inChannel("<item><x:a>" + strings.Repeat("aaaaaaaaaa<!---->", 400_000) + "</x:a></item>")
	}, true},
	{"small items", func() []byte { return inChannel(repeated("<item/>", 15*mega)) }, true},
	{"small extensions", func() []byte { return inChannel("<item>" + repeated("<x:a/>", 15*mega) + "</item>") }, true},
	{"one title", func() []byte { return inChannel("<item><title>" + repeated("title ", 15*mega) + "</title></item>") }, true},
	{"one element of markup", func() []byte {
		return inChannel("<item><description>" + repeated("<b>x</b>", 15*mega) + "</description></item>")
	}, true},
	{"attributes", func() []byte {
		var b strings.Builder
		for i := range 400_000 {
			fmt.Fprintf(&b, ` a%d="1"`, i)
		}
		return inChannel("<item" + b.String() + "/>")
	}, true},
	{"attributes without quotes", func() []byte { return inChannel("<item><b " + repeated("a=1 b c ", 15*mega) + "/></item>") }, false},
	{"white space", func() []byte { return bytes.Repeat([]byte(" "), 16*mega) }, true},
	{"control bytes", func() []byte { return bytes.Repeat([]byte{8}, 16*mega) }, true},
	{"a comment without end", func() []byte { return []byte("<!--" + repeated("comment ", 16*mega)) }, true},
	{"comments without end", func() []byte { return inChannel("<item>" + repeated("<!--", 12*mega)) }, false},
	{"CDATA sections without end", func() []byte { return inChannel("<item>" + repeated("<b><![CDATA[</b><title>", 12*mega)) }, false},
	{"declarations without end", func() []byte { return inChannel("<item>" + repeated("<!a<?b", 12*mega)) }, false},
	{"titles without end", func() []byte { return inChannel("<item>" + repeated("<title>", 12*mega)) }, false},
	{"unknown elements without end", func() []byte { return inChannel("<item>" + repeated("<b>", 12*mega)) }, false},
	{"end tags without start", func() []byte { return inChannel("<item>" + repeated("</b>", 12*mega)) }, false},
	{"items without end", func() []byte { return inChannel(repeated("<item><title>", 12*mega)) }, true},
	{"stray '<'", func() []byte { return inChannel("<item><title>" + repeated("<", 12*mega)) }, false},
	{"stray '&'", func() []byte { return inChannel("<item><title>" + repeated("&", 6*mega) + "</title></item>") }, false},
	{"quotation marks without end", func() []byte { return inChannel("<item>" + repeated(`<b a="<b a='`, 12*mega)) }, false},
	{"quoted '<'", func() []byte {
		return inChannel("<item>" + repeated(`<b a="`+strings.Repeat("<b ", 20_000)+`">`, 12*mega))
	}, false},
	{"laughs", func() []byte {
		dtd := `<!ENTITY l0 "lol">`
		for i := range 9 {
			dtd += fmt.Sprintf(`<!ENTITY l%d "%s">`, i+1, strings.Repeat(fmt.Sprintf("&l%d;", i), 10))
		}
		return []byte("<!DOCTYPE rss [" + dtd + "]>" + string(inChannel("<item><title>"+repeated("&l9;&l8;&l4;&l3;", 4*mega)+"</title></item>")))
	}, false},
	{"document types", func() []byte { return []byte(repeated("<!DOCTYPE a [<!ENTITY b 'c'", 12*mega)) }, true},
	{"scripts without end", func() []byte { return []byte("<html>" + repeated("<script></", 12*mega)) }, true},
	{"roots in a page", func() []byte { return []byte("<html>" + repeated("<rss><feed>", 12*mega)) }, true},
	{"names that are not ASCII", func() []byte {
		return inChannel("<item>" + repeated("<\u0434\u0436></\u0434\u0436>", 6*mega) + "&</item>")
	}, false},
	{"prefixes that nobody declared", func() []byte {
		var b strings.Builder
		for i := range 300_000 {
			fmt.Fprintf(&b, "<p%d:a/>", i)
		}
		return inChannel("<item>" + b.String() + "</item>")
	}, true},
	{"a gzip bomb", func() []byte { return compress(bytes.Repeat([]byte(" "), 100*mega)) }, true},
	{"UTF-32", func() []byte { return bytes.Repeat([]byte("\x00\x00\x00<"), 4*mega) }, true},
	{"escapes in JSON", func() []byte {
		return []byte(`{"version":"https://jsonfeed.org/version/1","items":[{"content_html":"` + repeated(`\n`, 7*mega) + `"}]}`)
	}, false},
	{"JSON nested", func() []byte {
		return []byte(`{"version":"https://jsonfeed.org/version/1","x":` + repeated("[", 12*mega))
	}, true},
	{"JSON in pieces", func() []byte {
		return []byte(`{"version":"https://jsonfeed.org/version/1","items":[` + repeated("1,", 12*mega) + "{}]}")
	}, false},
	{"JSON of wrong types", func() []byte {
		return []byte(`{"version":"https://jsonfeed.org/version/1","items":[{"tags":[` + repeated("1,", 2*mega) + "1]}]}")
	}, false},
	{"line ends in a JSON string", func() []byte {
		return []byte(`{"version":"https://jsonfeed.org/version/1","items":[{"title":"` + repeated("\n", 2*mega) + `"}]}`)
	}, false},
}

// TestAttacks gives each attack to Scan, and to the parser what Scan lets pass. Both together are done within a
// second on a machine that has nothing else to do; what is not linear would take many minutes. The limit is between the
// two, so far up that a busy machine keeps it too.
func TestAttacks(t *testing.T) {
	specimen.Unraced(t)
	const most = time.Minute
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			body := a.body()
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			r, err := scan.Scan(body, "", scan.DefaultLimits())
			scanned := time.Since(start)
			if a.refused && err == nil {
				t.Errorf("let pass, %d bytes, %q", len(r.Data), r.Repairs)
			}
			var limit *scan.LimitError
			var notFeed *scan.NotFeedError
			if err != nil && !errors.As(err, &limit) && !errors.As(err, &notFeed) {
				t.Errorf("another error than promised: %v", err)
			}
			runtime.ReadMemStats(&after)
			used := int(after.TotalAlloc-before.TotalAlloc) / mega
			if err == nil {
				if _, err := gofeed.NewParser().Parse(bytes.NewReader(r.Data)); err != nil {
					t.Errorf("the parser: %v", err)
				}
			}
			took := time.Since(start)
			t.Logf("%d MB: %v, of it Scan %v, %d MB, %v", len(body)/mega, took.Round(time.Millisecond), scanned.Round(time.Millisecond), used, err)
			if used > len(body)/mega+100 {
				t.Errorf("Scan took %d MB of memory", used)
			}
			if took > most {
				t.Errorf("it took %v", took)
			}
		})
	}
}
