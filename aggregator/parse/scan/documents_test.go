package scan_test

// document is a small body and what is asked of it. What Scan makes of it is in testdata/NAME.golden.
type document struct {
	name        string
	why         string
	body        string
	contentType string
}

const (
	head   = `<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>T</title>`
	one    = `<item><title>one</title><link>https://example.org/1</link></item>`
	two    = `<item><title>two</title><link>https://example.org/2</link></item>`
	foot   = `</channel></rss>`
	atom   = `<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title>`
	first  = `<entry><id>urn:1</id><title>one</title><updated>2024-01-01T00:00:00Z</updated></entry>`
	second = `<entry><id>urn:2</id><title>two</title><updated>2024-01-02T00:00:00Z</updated></entry>`
)

var documents = []document{
	{name: "clean-rss", why: "a feed in order passes as it is", body: head + one + two + foot},
	{name: "clean-atom", why: "a feed in order passes as it is", body: atom + first + second + `</feed>`},
	{name: "stray-less-than", why: "titles are written by people who do not think of markup", body: head + `<item><title>1 < 2, I <3 it</title></item>` + foot},
	{name: "stray-ampersand", why: "so are links, by programs", body: head + `<item><title>AT&T &amp; co &x</title><link>https://example.org/?a=1&b=2</link></item>` + foot},
	{name: "html-entities", why: "XML knows five names, HTML more than two thousand", body: head + `<item><title>caf&eacute;&nbsp;&mdash; &nobody; &LT;</title></item>` + foot},
	{name: "dtd-entities", why: "an internal subset may declare more, also one from another", body: `<!DOCTYPE rss [<!ENTITY co "Example &amp; Co"><!ENTITY whole "the &co; feed">]><rss version="2.0"><channel><title>&whole;</title>` + one + foot},
	{name: "laughs", why: "an entity that grows a thousandfold each time stays a name", body: `<!DOCTYPE rss [<!ENTITY a "lollollollollollollollollollollol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;"><!ENTITY f "&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;">]><rss version="2.0"><channel><title>&f;</title>` + one + foot},
	{name: "entity-in-itself", why: "an entity that holds itself has no end", body: `<!DOCTYPE rss [<!ENTITY a "&b;"><!ENTITY b "&a;">]><rss version="2.0"><channel><title>&a;</title>` + one + foot},
	{name: "character-references", why: "XML forbids references to characters that it forbids, and &#X41;", body: head + `<item><title>a&#8;b&#12;c&#xFFFE;d&#X41;e&#128512;</title></item>` + foot},
	{name: "illegal-characters", why: "control characters come out of databases", body: head + "<item><title>a\x08b\x00c\uFFFFd</title></item>" + foot},
	{name: "misnested", why: "a parser that ignores the order of end tags loses the items behind", body: head + `<item><title>a <b><i>x</b></i></title></item>` + one + foot},
	{name: "missing-item-end", why: "an item cannot hold an item", body: head + `<item><title>zero</title>` + one + two + foot},
	{name: "missing-title-end", why: "a title ends before the link begins", body: head + `<item><title>zero<link>https://example.org/0</link></item>` + one + foot},
	{name: "misspelt-end", why: "an end tag that is none is not text", body: head + `<item><title>zero</titel><link>https://example.org/0</link></item>` + one + foot},
	{name: "crossed-ends", why: "the item ends inside of its title", body: head + `<item><title>zero</item></title>` + one + foot},
	{name: "stray-end", why: "templates close what they did not open", body: head + `</div><item></div><title>zero</title></item></p>` + one + foot},
	{name: "other-case-end", why: "XML tells cases apart, people do not", body: `<RSS version="2.0"><Channel><title>T</Title><ITEM><Title>one</title></item></channel></rss>`},
	{name: "cdata-without-end", why: "it would swallow all up to the end of the next item's section, in silence", body: head + `<item><title><![CDATA[zero</title><link>https://example.org/0</link></item><item><title><![CDATA[one]]></title></item>` + foot},
	{name: "cdata-in-cdata", why: "an article on CDATA is in order", body: head + `<item><description><![CDATA[write <![CDATA[ here]]></description></item>` + one + foot},
	{name: "cdata-with-half-end", why: "the end of the section lost a byte", body: head + `<item><title><![CDATA[zero]]</title></item>` + one + foot},
	{name: "end-of-cdata-in-text", why: "section 2.4 forbids it in text", body: head + `<item><title>a ]]> b</title></item>` + foot},
	{name: "html-in-description", why: "markup that was not escaped is a text", body: head + `<item><description><p>a<br>b<img src=x>&amp; c</description></item>` + one + foot},
	{name: "html-well-formed", why: "markup that is well-formed stays", body: head + `<item><description><p>a<br/>b &amp; c</p></description><extra a=b/></item>` + foot},
	{name: "xhtml-balanced", why: "escaped XHTML would be shown as its source", body: atom + `<entry><id>urn:1</id><title>one</title><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>a<br>b</p></b><i>c</div></content></entry>` + second + `</feed>`},
	{name: "attributes", why: "attributes as HTML writes them", body: head + `<item><enclosure url=https://example.org/a.mp3 length="1" length="2" type='audio/mpeg' hidden/><title lang="a < b">x</title></item>` + foot},
	{name: "attribute-without-end", why: "a quotation mark that is missing must not swallow the rest", body: head + `<item><enclosure url="https://example.org/a.mp3 length="1" type="audio/mpeg"/><title>x</title></item>` + one + foot},
	{name: "comments", why: "two hyphens end a comment in SGML and nothing in XML", body: head + `<!-- a -- b --><!- x -><!-- fine --><item><!-- - -- - --><title>x</title></item>` + foot},
	{name: "junk-before", why: "programs print their warnings first", body: "Notice: undefined x in /a.php\n<br />\n<b>Warning</b>: y<br />\n" + head + one + foot},
	{name: "two-declarations", why: "two programs wrote one", body: `<?xml version="1.0"?>` + "\n" + head + one + foot},
	{name: "zero-width-space", why: "pasted from a page", body: "\u200b" + head + one + foot},
	{name: "xml-1.1", why: "encoding/xml refuses what differs in next to nothing", body: `<?xml version="1.1"?><rss version="2.0"><channel><title>T</title>` + one + foot},
	{name: "html-wrapper", why: "a framework puts a page around everything", body: `<html><head><script>var a = "<rss version='2.0'>";</script></head><body>` + head + one + foot + `</body></html>`},
	{name: "second-document", why: "a file that was appended to", body: head + one + foot + head + two + foot},
	{name: "document-inside", why: "a file that was written by two processes at once", body: head + one + `<item><title>half` + head + two + foot},
	{name: "second-channel", why: "a parser keeps the last channel only", body: `<rss version="2.0"><channel><title>A</title>` + one + `</channel><channel><title>B</title>` + two + foot},
	{name: "root-closed-early", why: "items behind the end are items", body: head + one + foot + two + foot},
	{name: "cut-in-title", why: "what is complete is kept, what is not would be stored as if it was", body: head + one + `<item><title>tw`},
	{name: "cut-in-tag", why: "the same inside of a tag", body: head + one + `<item><link`},
	{name: "cut-between-items", why: "nothing tells that there was more but the missing end", body: head + one + two},
	{name: "cut-in-cdata", why: "a section without an end at the very end is a cut", body: head + one + `<item><title>two</title><description><![CDATA[some`},
	{name: "root-end-missing", why: "all is there but six bytes", body: head + one + two + `</channel>`},
	{name: "never-closes-items", why: "then the last item is as complete as the others", body: head + `<item><title>a</title><item><title>b</title>`},
	{name: "undeclared-prefixes", why: "a prefix is nothing without its namespace", body: head + `<item><dc:creator>A</dc:creator><my:x>1</my:x></item>` + foot},
	{name: "atom-https-namespace", why: "namespaces are compared letter by letter", body: `<feed xmlns="https://www.w3.org/2005/Atom/"><title>T</title>` + first + `</feed>`},
	{name: "atom-prefix-namespace", why: "the same with a prefix", body: `<a:feed xmlns:a="https://www.w3.org/2005/Atom"><a:entry><a:title>one</a:title></a:entry></a:feed>`},
	{name: "rss-in-atom-namespace", why: "a parser reads no item from it", body: `<rss version="2.0" xmlns="http://www.w3.org/2005/Atom"><channel><title>T</title>` + one + foot},
	{name: "rdf-wrong-namespace", why: "the same for RSS 1.0", body: `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="https://purl.org/rss/1.0/"><channel><title>T</title></channel>` + one + `</rdf:RDF>`},
	{name: "entry-in-rss", why: "two formats in one template", body: head + `<entry><id>urn:1</id><title>one</title><summary>s</summary><content type="html">c</content><author><name>A</name></author><published>2024-01-01T00:00:00Z</published><updated>2024-01-02T00:00:00Z</updated><link href="https://example.org/1"/></entry>` + foot},
	{name: "item-in-atom", why: "two formats in one template", body: atom + one + two + `</feed>`},
	{name: "bare-item", why: "no root at all", body: one + two},
	{name: "bare-entry", why: "APIs give one entry as a document", body: `<?xml version="1.0"?><entry xmlns="http://www.w3.org/2005/Atom"><id>urn:1</id><title>one</title></entry>`},
	{name: "bare-channel", why: "RSS without its root", body: `<channel><title>T</title>` + one + `</channel>`},
	{name: "cdf", why: "the format of 1997 is still served", body: `<?XML VERSION="1.0"?><CHANNEL HREF="https://example.org/"><TITLE>T</TITLE><ABSTRACT>about</ABSTRACT><ITEM HREF="https://example.org/1" LASTMOD="1998-11-05T22:30"><TITLE>one</TITLE><ABSTRACT>text & more</ABSTRACT></ITEM></CHANNEL>`},
	{name: "news-sitemap", why: "newspapers have these where they have no feed", body: `<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"><url><loc>https://example.org/1</loc><news:news><news:publication><news:name>Example Times</news:name><news:language>en</news:language></news:publication><news:publication_date>2024-01-01</news:publication_date><news:title>one</news:title><news:keywords>a, b</news:keywords></news:news></url><url><loc>https://example.org/about</loc></url></urlset>`},
	{name: "utf-8-mixed", why: "windows-1252 pasted into UTF-8", body: head + "<item><title>caf\xc3\xa9 \x93caf\xe9\x94</title></item>" + foot},
	{name: "windows-1252", why: "nothing declares it", body: `<rss version="2.0"><channel><title>` + "caf\xe9 d\xe9j\xe0 vu" + `</title>` + one + foot},
	{name: "windows-1251-header", why: "the HTTP header knows", contentType: "text/xml; charset=windows-1251", body: `<rss version="2.0"><channel><title>` + "\xcf\xf0\xe8\xe2\xe5\xf2" + `</title>` + one + foot},
	{name: "windows-1251-guessed", why: "nothing knows", body: `<rss version="2.0"><channel><title>` + "\xcf\xf0\xe8\xe2\xe5\xf2, \xea\xe0\xea \xe4\xe5\xeb\xe0 \xf1\xe5\xe3\xee\xe4\xed\xff" + `</title>` + one + foot},
	{name: "koi8-declared", why: "the declaration knows", body: `<?xml version="1.0" encoding="koi8-r"?><rss version="2.0"><channel><title>` + "\xf0\xd2\xc9\xd7\xc5\xd4" + `</title>` + one + foot},
	{name: "utf-8-as-latin-1", why: "servers add a charset that nobody chose", contentType: "text/xml; charset=iso-8859-1", body: `<rss version="2.0"><channel><title>` + "caf\u00e9" + `</title>` + one + foot},
	{name: "iso-2022-jp", why: "it looks like ASCII and is not", body: `<?xml version="1.0" encoding="ISO-2022-JP"?><rss version="2.0"><channel><title>` + "\x1b$BF|K\\\x1b(B" + `</title>` + one + foot},
	{name: "shift-jis-guessed", why: "nothing declares it", body: `<rss version="2.0"><channel><title>` + "\x82\xb1\x82\xea\x82\xcd\x93\xfa\x96\x7b\x8c\xea\x82\xcc\x95\xb6\x8f\xcd\x82\xc5\x82\xb7" + `</title>` + one + foot},
	{name: "bogus-label", why: "a label that nobody knows says nothing", body: `<?xml version="1.0" encoding="x-nobody"?><rss version="2.0"><channel><title>` + "caf\u00e9" + `</title>` + one + foot},
	{name: "gzip", why: "a compressed file that nobody says is one", body: string(compress([]byte(head + one + foot)))},
	{name: "gzip-cut", why: "what can be decompressed of a file that was cut is kept", body: string(stored([]byte(head + one + two + foot))[:15+len(head+one)+20])},
	{name: "json-types", why: "one field of the wrong type makes a parser lose the feed", body: `{"version":"https://jsonfeed.org/version/1.1","title":"T","author":"A","items":[{"id":1,"title":"one","tags":"a","date_published":1700000000,"authors":{"name":"B"},"content_text":"x"},{"id":"2","title":{"a":[1]},"content_text":"y","attachments":["x"]}]}`},
	{name: "json-syntax", why: "written by hand", body: "{\"version\":\"https://jsonfeed.org/version/1.1\",\"title\":\"a\tb\",\"items\":[null,{\"id\":\"1\",\"content_text\":\"don\\'t\\n\",},7,],}\n;"},
	{name: "json-cut", why: "what is complete is kept", body: `{"version":"https://jsonfeed.org/version/1","title":"T","items":[{"id":"1","content_text":"x"},{"id":"2","content_`},
}
