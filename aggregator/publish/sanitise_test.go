package publish_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/topicwire/topicwire/aggregator"
)

// published is the HTML that readers get of an item's content.
func published(t testing.TB, content string) string {
	t.Helper()
	it := item("a", "x", 1, "cloud")
	it.Content = content
	return contentOf(t, story(it))
}

func contentOf(t testing.TB, s aggregator.Story) string {
	t.Helper()
	src := sample()
	src.stories = []aggregator.Story{s}
	var feed struct {
		Items []struct {
			HTML string `json:"content_html"`
		}
	}
	body := get(t, handler(t, src), "/all.json").Body.Bytes()
	if err := json.Unmarshal(body, &feed); err != nil || len(feed.Items) != 1 {
		t.Fatalf("feed: %v\n%s", err, body)
	}
	return feed.Items[0].HTML
}

const link = `<p><a href="https://a.example/x"><bdi>Title of x</bdi></a></p>`

func TestContent(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"what carries meaning is kept":           {`<h2>A</h2><p lang="ur" dir="rtl">b <em>c</em> <code>d</code></p><ol start="3"><li>e</li></ol>`, `<h2>A</h2><p lang="ur" dir="rtl">b <em>c</em> <code>d</code></p><ol start="3"><li>e</li></ol>`},
		"ruby is kept":                           {`<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby>`, `<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby>`},
		"tables are kept":                        {`<table><thead><tr><th scope="col">a</th></tr></thead><tbody><tr><td colspan="2">1</td></tr></tbody></table>`, `<table><thead><tr><th scope="col">a</th></tr></thead><tbody><tr><td colspan="2">1</td></tr></tbody></table>`},
		"pictures with captions are kept":        {`<figure><img src="https://a.example/1.png" alt="" width="3" height="4"><figcaption>c</figcaption></figure>`, `<figure><img src="https://a.example/1.png" alt="" width="3" height="4"><figcaption>c</figcaption></figure>`},
		"several sizes of a picture are kept":    {`<picture><source srcset="https://a.example/1.webp 1x, https://a.example/2.webp 2x" type="image/webp"><img src="https://a.example/1.png" alt="a"></picture>`, `<picture><source srcset="https://a.example/1.webp 1x, https://a.example/2.webp 2x" type="image/webp"><img src="https://a.example/1.png" alt="a"></picture>`},
		"sound gets its buttons":                 {`<audio src="https://a.example/1.mp3" autoplay></audio>`, `<audio src="https://a.example/1.mp3" controls=""></audio>`},
		"scripts go with what is in them":        {`a<script>alert("<p>")</script>b`, `ab`},
		"styles go":                              {`<style>p{color:red}</style><p style="color:red" class="x" id="y" data-z="1">a</p>`, `<p>a</p>`},
		"handlers go":                            {`<p onclick="x()">a<img src="https://a.example/1.png" onerror="x()"></p>`, `<p>a<img src="https://a.example/1.png"></p>`},
		"frames go":                              {`a<iframe src="https://a.example/">b</iframe>c`, `ac`},
		"links that run go, their text stays":    {`<a href="javascript:alert(1)">a</a> <a href="JAVA&#10;SCRIPT:x">b</a> <a href="data:text/html,x">c</a>`, `a b c`},
		"links that lead nowhere go":             {`<a href="/rel">a</a> <a href="#n">b</a> <a name="x">c</a>`, `a b c`},
		"links lose names and passwords":         {`<a href="https://me:secret@a.example/">a</a>`, `<a href="https://a.example/">a</a>`},
		"links are written as URIs":              {`<a href="HTTPS://a.example/ä b?q=[1]">a</a>`, `<a href="https://a.example/%C3%A4%20b?q=%5B1%5D">a</a>`},
		"mail links are kept":                    {`<a href="mailto:a@a.example?subject=Hi there">a</a>`, `<a href="mailto:a@a.example?subject=Hi%20there">a</a>`},
		"pictures of one pixel go":               {`a<img src="https://a.example/p.gif" width="1" height="1"><img src="https://a.example/q.gif" height=0>`, `a`},
		"pictures that are hidden go":            {`a<img src="https://a.example/p.gif" style="border:0;width:1px"><img src="https://a.example/q.gif" style="display: none">`, `a`},
		"pictures with a style stay, without it": {`<img src="https://a.example/p.jpg" style="max-width:100%">`, `<img src="https://a.example/p.jpg">`},
		"a picture in noscript is one":           {`<img data-src="https://a.example/p.jpg"><noscript><img src="https://a.example/p.jpg"></noscript>`, `<img src="https://a.example/p.jpg">`},
		"what is open is closed":                 {`<div><p>a<b>b`, `<div><p>a<b>b</b></p></div>`},
		"what closes nothing goes":               {`a</div></p></b><br></br>c`, `a<br>c`},
		"list items end each other":              {`<ul><li>a<li>b<ul><li>c</ul><li>d</ul>`, `<ul><li>a</li><li>b<ul><li>c</li></ul></li><li>d</li></ul>`},
		"paragraphs end each other":              {`<p>a<p>b<div>c</div>`, `<p>a</p><p>b</p><div>c</div>`},
		"cells and rows end each other":          {`<table><tr><td>a<td>b<tr><th>c</table>d`, `<table><tr><td>a</td><td>b</td></tr><tr><th>c</th></tr></table>d`},
		"a cell is not left by its content":      {`<table><tr><td></table></div>a</td><td>b</table>c`, `<table><tr><td></td></tr></table>abc`},
		"elements that overlap are nested":       {`<b>a<i>b</b>c</i>d`, `<b>a<i>b</i></b>cd`},
		"comments go":                            {`a<!-- <b> -->b`, `ab`},
		"plain text is escaped":                  {`1 < 2 & "3"`, `1 &lt; 2 &amp; &#34;3&#34;`},
		"nothing to see is the link":             {`<p> &nbsp;</p><img src="https://a.example/p.gif" width="1">`, link},
		"no content is the link":                 {``, link},
	} {
		t.Run(name, func(t *testing.T) {
			if got := published(t, tc.in); got != tc.want {
				t.Errorf("content %s\n got %s\nwant %s", tc.in, got, tc.want)
			}
		})
	}
}

func TestASummaryStandsInForContent(t *testing.T) {
	it := item("a", "x", 1, "cloud")
	it.Summary, it.Content = "<p>In short.</p>", ""
	if got := contentOf(t, story(it)); got != "<p>In short.</p>" {
		t.Errorf("content %s", got)
	}
}

func TestSeveralReportsAreNamed(t *testing.T) {
	first := item("courier", "x", 1, "cloud")
	same := item("agency", "y", 2)
	same.URL = first.URL
	again := same
	again.ID = aggregator.NewItemID("agency", "guid", "again")
	unknown := item("gone", "z", 3)
	unknown.URL, unknown.Title = "", `<b>"bold"</b>`
	right := item("urdu", "u", 4)
	want := `<p>Text of x.</p>` + "\n" + `<p lang="en" dir="ltr">Reported by <a href="https://courier.example/x"><bdi>The Courier</bdi></a>. ` +
		`Also reported by: <a href="https://courier.example/x" title="Title of y"><bdi>News &amp; Agency</bdi></a>, <bdi>gone</bdi>, ` +
		`<a href="https://urdu.example/u" title="Title of u"><bdi>روزنامہ خبر</bdi></a>.</p>`
	if got := contentOf(t, story(first, same, again, unknown, right)); got != want {
		t.Errorf("content\n got %s\nwant %s", got, want)
	}
}

func TestTheLineOfSourcesIsNotSwallowed(t *testing.T) {
	for _, content := range []string{"<div><a href='https://a.example/'>open", "<table><tr><td>", "<!-- open", "<p>a<textarea>", "<plaintext>", "<ul><li>"} {
		first := item("courier", "x", 1, "cloud")
		first.Content = content
		got := contentOf(t, story(first, item("agency", "y", 2)))
		if i := strings.LastIndex(got, "\n<p lang="); i < 0 || strings.Count(got[:i], "<") != 2*strings.Count(got[:i], "</") {
			t.Errorf("after %s: %s", content, got)
		}
	}
}

func TestLongContentIsCut(t *testing.T) {
	got := published(t, "<div>"+strings.Repeat("<p>long</p>", 100_000))
	if len(got) > 600<<10 || !strings.HasSuffix(got, "</div>") {
		t.Errorf("%d bytes, ending in %q", len(got), got[len(got)-20:])
	}
}
