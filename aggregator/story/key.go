package story

import "strings"

// Key is what two canonical URLs are compared by: equal for the two schemes of a page and for its twins made for
// telephones and for AMP. It is no URL, and "" for "".
//
// Left out are the scheme, the labels www, m, mobile and amp at the start of the host (m also behind a language, as in
// en.m.example.org), and the path's first or last segment "amp" and ending ".amp" where something remains.
func Key(canonical string) string {
	_, rest, ok := strings.Cut(canonical, "://")
	if !ok {
		return ""
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		return plainHost(rest)
	}
	host, rest := rest[:end], rest[end:]
	if end = strings.IndexAny(rest, "?#"); end < 0 {
		end = len(rest)
	}
	return plainHost(host) + plainPath(rest[:end]) + rest[end:]
}

func plainHost(host string) string {
	for {
		label, rest, _ := strings.Cut(host, ".")
		switch label {
		case "www", "m", "mobile", "amp":
			// What remains must still be a domain: "m.example" is nobody's twin.
			if strings.Contains(rest, ".") {
				host = rest
				continue
			}
		}
		if inner, ok := strings.CutPrefix(rest, "m."); ok && strings.Contains(inner, ".") {
			return label + "." + inner
		}
		return host
	}
}

func plainPath(path string) string {
	if rest, ok := strings.CutPrefix(path, "/amp/"); ok {
		path = "/" + rest
	}
	if rest, ok := strings.CutSuffix(path, "/amp"); ok && rest != "" {
		return rest
	}
	if rest, ok := strings.CutSuffix(path, ".amp"); ok && !strings.HasSuffix(rest, "/") {
		return rest
	}
	if rest, ok := strings.CutSuffix(path, ".amp.html"); ok && !strings.HasSuffix(rest, "/") {
		return rest + ".html"
	}
	return path
}

// Identifying reports whether two pages with this key can only be one: it is not empty and not that of a front page.
func Identifying(key string) bool { return key != "" && !isRoot(key) }

// isRoot reports whether the key is that of a site's front page.
func isRoot(key string) bool { return !strings.ContainsAny(key, "/?#") }
