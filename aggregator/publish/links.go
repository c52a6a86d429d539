package publish

import (
	"strconv"
	"strings"
)

// links are how a page leads to the rest of the site. A served page has paths from the server's root; one that is written
// to a file has relative ones, to files that are named whole, so that they lead right on any server, in any folder.
type links struct {
	// root stands before every path: the site's prefix, or the way from the page's folder up to the site's.
	root   string
	static bool
}

// links are those of a page that is served.
func (s *site) links() links { return links{root: s.prefix} }

// linksIn are those of a page that is written to the file of the name.
func linksIn(name string) links {
	return links{root: strings.Repeat("../", strings.Count(name, "/")), static: true}
}

// page is the link to the page at the path, which begins with a slash.
func (l links) page(path string) string {
	if l.static {
		return l.root + pageFile(path)
	}
	return l.root + path
}

// part is the link to a part of what the page at the path lists: the first is the page itself.
func (l links) part(path string, number int) string {
	switch {
	case number <= 1:
		return l.page(path)
	case l.static:
		return l.root + partFile(path, number)
	}
	return l.root + path + "?page=" + strconv.Itoa(number)
}

// file is the link to a file of the site that is no page.
func (l links) file(path string) string {
	if l.static {
		return l.root + strings.TrimPrefix(path, "/")
	}
	return l.root + path
}

// opml is the link to the list of merged feeds.
func (l links) opml() string {
	if l.static {
		return l.root + opmlFile
	}
	return l.root + "/opml"
}

// opmlFile is where the list of merged feeds is written to.
const opmlFile = "topics.opml"

// pageFile is the name of the file of the page at the path: an index in a folder of its own.
func pageFile(path string) string {
	return strings.TrimPrefix(strings.TrimSuffix(path, "/")+"/index.html", "/")
}

// partFile is the name of the file of a further part of a page.
func partFile(path string, number int) string {
	return strings.TrimPrefix(strings.TrimSuffix(path, "/")+"/"+strconv.Itoa(number)+"/index.html", "/")
}

// pageURL is the absolute address of the page at the path.
func (s *site) pageURL(path string) string {
	if s.static {
		return s.base + "/" + pageFile(path)
	}
	return s.base + path
}
