package publish_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// hostile are strings that publishers have, or could have, put anywhere.
var hostile = []string{
	"", " ", "\x00\x01\x08\x0b\x0c\x1f\x7f", "a\u0080b\u0085c\u009fd", "\ufffe\uffff\ufdd0\U0001fffe", "\xff\xfe\xc0\x80\xed\xa0\x80", "\ufffd",
	"]]>", "<![CDATA[x]]>", "<?php echo 1 ?>", "<!-- c -->", "<!DOCTYPE x [<!ENTITY a 'b'>]>&a;", "&", "&amp;lt;b&gt;", "&#0;&#xFFFE;&#x1F600;&bogus;", "a < b && c > d",
	"\u202Eevil\u2066x", "\u202C\u2069", "العربية \u200F", "日本語", "e\u0301", "\U0001F469\u200D\U0001F4BB",
	"<script>alert(1)</script>", "<b>bold", "</b></p></div>", `<a href="javascript:alert(1)" onclick="x()">x</a>`, `<a href=" jAvAsCrIpT:x">x</a>`,
	`<img src=x onerror=alert(1)>`, `<img src="//cdn.example/x.png">`, `<p style="position:fixed" data-x="1" class="y" id="z">q</p>`,
	`<svg><script>x</script></svg>`, `<math><mi xlink:href="data:x">`, `<iframe src="https://a.example/"></iframe>after`, `<object><p>in</object>`,
	`<table><td>1<td>2<tr><th>x</table></table>`, `<ul><li>1<li>2<ol><li>3</ul>`, `<dl><dt>a<dd>b<dt>c</dl>`, `<p>a<p>b<div>c</p>d`, `<select><option>x`,
	`<a href="https://a.example/"><a href="https://b.example/">nested`, `<picture><source srcset="https://a.example/1.png 1x, javascript:x 2x, /rel 3x"><img src="https://a.example/1.png" alt=""></picture>`,
	`<video src="https://a.example/v.mp4" poster="javascript:x" autoplay><track src="https://a.example/t.vtt" kind="captions"></video>`, `<source src="https://a.example/x">`,
	`<style>p{}</style>`, `<base href="https://evil.example/"><form action="/x"><input name=y></form>`, `<plaintext>rest <b>`, `<textarea><p>x`, `<noscript><img src="https://a.example/n.png"></noscript>`,
	"<" + strings.Repeat("div><", 300), strings.Repeat("<table><tr><td>", 100), strings.Repeat("x ", 3000), strings.Repeat("é", 9000), strings.Repeat("<b>", 500) + "deep",
	"https://example.org/ä?q=ö#ü", "HTTPS://EXAMPLE.ORG:443/a b|c^d`e{f}g\"h<i>j\\k", "http://user:pass@example.org/", "http://", "https:///path", "//example.org/x", "/rel", "javascript:alert(1)",
	"mailto:a@example.org", "data:text/html,<b>", "http://[::1]:80/", "http://exa mple.org/", "http://example.org:99999999/", "http://example.org/%zz%4", "http://example.org/#a#b", "http://münchen.example/",
	"http://localhost/file.mp3", "https://a_b.example/x.mp3", "https://example.org?x", "http://\u202Ex.example/", "http://<b>/", "https://example.org/\x00", "tag:example.org,2020:x", "urn:uuid:1", "urn:isbn:3", "urn:x:%", "urn:uuid:60a76c80-d399-11d9-b93c-0003939e0af6", "tag:example.org,2020:%zz", "tag:Example.org,20:x", "yt:channel:UC1", "feed:https://example.org/", "ftp://example.org/",
	"en", "en_US", "xx-yy", "zh-Hans-CN", "e", "klingon", "ur-PK", "i-default", "a@example.org", "not an address", "A <a@example.org>", "a@b", "mailto:x@example.org",
	"audio/mpeg", "audio/mpeg; charset=x", "AUDIO/MPEG", "mp3", "audio/", "application/x y",
}

var times = []time.Time{
	{}, time.Unix(0, 0), noon, time.Date(1, 1, 1, 0, 0, 0, 0, time.FixedZone("", 14*3600)), time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC),
	time.Date(9999, 12, 31, 23, 59, 59, 999, time.FixedZone("", -12*3600)), time.Date(29999, 1, 1, 0, 0, 0, 0, time.UTC),
	time.Unix(math.MaxInt64/4, 0), time.Unix(math.MinInt64/4, 0), noon.In(time.FixedZone("", 19800)),
}

// hostileItem makes an item of whatever pick and at give.
func hostileItem(feed aggregator.FeedID, key string, pick func() string, at func() time.Time) aggregator.Item {
	return aggregator.Item{
		ID: aggregator.NewItemID(feed, "guid", key), Feed: feed, GUID: pick(), URL: pick(), CanonicalURL: pick(),
		Title: pick(), Summary: pick(), Content: pick(),
		Authors:    []aggregator.Author{{Name: pick(), Email: pick(), URL: pick()}, {Name: pick()}, {}},
		Categories: []string{pick(), pick(), pick(), "same", "same"},
		Language:   pick(), Image: pick(),
		Enclosures: []aggregator.Enclosure{{URL: pick(), Type: pick(), Length: -1, Duration: -1}, {URL: pick(), Type: pick(), Length: math.MaxInt64, Duration: math.MaxInt64}},
		Comments:   pick(), CommentCount: len(pick()) - 3, Source: aggregator.ItemSource{Title: pick(), URL: pick()},
		Published: at(), Updated: at(), FirstSeen: at(), Revised: at(), OrderTime: at(),
		DateSource: aggregator.DateSource(pick()), Topics: []aggregator.TopicID{"cloud", aggregator.TopicID(pick())},
	}
}

// hostileSource is a store with such items in it, one of them a story of two, beside a good one.
func hostileSource(pick func() string, at func() time.Time) *memory {
	src := &memory{
		stories: []aggregator.Story{
			story(hostileItem("one", "1", pick, at), hostileItem("two", "2", pick, at), hostileItem("none", "3", pick, at)),
			story(hostileItem("two", "4", pick, at)),
			story(item("courier", "good", 1, "cloud")),
		},
		feeds:   map[aggregator.FeedID]aggregator.FeedStatus{"courier": feed("courier", "The Courier")},
		version: aggregator.Version{Seq: 1, Changed: at()},
	}
	for _, id := range []aggregator.FeedID{"one", "two"} {
		src.feeds[id] = aggregator.FeedStatus{
			Feed:  aggregator.Feed{ID: id, URL: pick(), Title: pick(), Private: id == "two"},
			State: aggregator.FeedState{Title: pick(), Link: pick(), Language: pick(), DocumentID: pick(), Rights: pick()},
		}
	}
	return src
}

func TestValidWhateverTheItemsHold(t *testing.T) {
	site := newCheckedSite(t)
	for i, s := range hostile {
		site.check(t, hostileSource(func() string { return s }, func() time.Time { return times[i%len(times)] }))
		if t.Failed() {
			t.Fatalf("everything being %.200q", s)
		}
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		seed := rnd.Uint64()
		r := rand.New(rand.NewPCG(seed, 0))
		pick := func() string {
			s := hostile[r.IntN(len(hostile))]
			if r.IntN(3) == 0 {
				s += hostile[r.IntN(len(hostile))]
			}
			return s
		}
		site.check(t, hostileSource(pick, func() time.Time { return times[r.IntN(len(times))] }))
		if t.Failed() {
			t.Fatalf("with seed %d", seed)
		}
	}
}

func TestTheSampleIsValid(t *testing.T) {
	checkAll(t, sample())
	h := handler(t, sample())
	for _, path := range []string{"/", "/all", "/status"} {
		checkPage(t, get(t, h, path).Body.Bytes())
	}
	checkAll(t, &memory{})
}

func FuzzPublish(f *testing.F) {
	for i := 0; i < len(hostile); i += 5 { // TestValidWhateverTheItemsHold has them all
		f.Add(hostile[i], hostile[(i+7)%len(hostile)], hostile[(i+31)%len(hostile)], int64(i)<<40)
	}
	site := newCheckedSite(f)
	f.Fuzz(func(t *testing.T, a, b, c string, seconds int64) {
		if len(a)+len(b)+len(c) > 4000 {
			return
		}
		n := 0
		pick := func() string { n++; return []string{a, b, c, a + b, b + c}[n%5] }
		site.check(t, hostileSource(pick, func() time.Time { return time.Unix(seconds, 0) }))
	})
}
