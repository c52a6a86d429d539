package config

import (
	"net/textproto"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// ownHeaders are those that requests have already, or that belong to the connection: a feed cannot have them otherwise.
var ownHeaders = []string{
	"A-Im", "Accept-Encoding", "Connection", "Content-Length", "Content-Type", "Host", "If-Modified-Since", "If-None-Match", "Keep-Alive",
	"Range", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "User-Agent",
}

// readHeaders reads the headers of a feed. Their values may be secrets, and are not shown.
func (r *reader) readHeaders(n ast.Node) map[string]string {
	n, ok := r.resolve(n)
	if !ok || isNull(n) {
		return nil
	}
	pairs, ok := r.pairs(n, "headers", 0)
	if !ok {
		return nil
	}
	headers := make(map[string]string)
	for _, p := range pairs {
		r.push(p.key)
		name := textproto.CanonicalMIMEHeaderKey(p.key)
		s, ok := r.scalar(p.value)
		switch {
		case p.key == "" || strings.Trim(p.key, tokenCharacters) != "":
			r.problem(p.at, "header "+quote(p.key)+" is no name of a header", "write letters, digits and -, as in Authorization")
		case slices.Contains(ownHeaders, name), strings.HasPrefix(name, "Proxy-"):
			r.problem(p.at, "header "+quote(p.key)+" is not for a feed to set", "remove it")
		case !ok:
		case s.text == "" || strings.ContainsFunc(s.text, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }):
			r.problem(s.at, "header "+quote(p.key)+" has a value that is empty or holds control characters",
				"write one line, as in \"Bearer ${TOKEN}\"")
		case headers[name] != "":
			r.problem(p.at, "header "+quote(name)+" is given twice", "keep one of them")
		default:
			headers[name] = strings.TrimSpace(s.text)
		}
		r.pop()
	}
	return headers
}

// tokenCharacters are what a header's name is made of (RFC 9110 section 5.6.2).
const tokenCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~"
