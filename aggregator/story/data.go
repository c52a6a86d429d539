package story

import (
	_ "embed"
	"strings"
)

//go:embed tracking-parameters.txt
var trackingFile string

//go:embed redirectors.txt
var redirectorsFile string

var (
	tracking    = readTracking(trackingFile)
	redirectors = readRedirectors(redirectorsFile)
)

// trackingList tells the parameters that only track a reader from those that name a page.
type trackingList struct {
	exact    map[string][]trackingRule // by name in lower case
	prefixes []trackingRule
}

type trackingRule struct {
	name  string // in lower case; for a prefix without its "*"
	value string // the only value that is meant, in lower case; see any
	any   bool   // any value is meant
	host  string // as matchHost reads it; "" for any host
}

func readTracking(file string) trackingList {
	list := trackingList{exact: map[string][]trackingRule{}}
	for line := range strings.Lines(file) {
		fields := dataFields(line)
		if len(fields) == 0 {
			continue
		}
		name, value, assigned := strings.Cut(strings.ToLower(fields[0]), "=")
		rule := trackingRule{name: name, value: value, any: !assigned}
		if len(fields) > 1 {
			rule.host = fields[1]
		}
		if prefix, ok := strings.CutSuffix(name, "*"); ok {
			rule.name = prefix
			list.prefixes = append(list.prefixes, rule)
			continue
		}
		list.exact[name] = append(list.exact[name], rule)
	}
	return list
}

// has reports whether the parameter, on that host, is one that only tracks.
func (l trackingList) has(p param, host string) bool {
	name := strings.ToLower(p.name)
	for _, rule := range l.exact[name] {
		if rule.fits(p, host) {
			return true
		}
	}
	for _, rule := range l.prefixes {
		if strings.HasPrefix(name, rule.name) && rule.fits(p, host) {
			return true
		}
	}
	return false
}

func (r trackingRule) fits(p param, host string) bool {
	return (r.any || strings.EqualFold(r.value, p.value)) && (r.host == "" || matchHost(r.host, host))
}

// redirector is a service whose links hold their target in a parameter.
type redirector struct {
	host, path string
	params     []string // the first that holds a URL counts
}

func readRedirectors(file string) []redirector {
	var list []redirector
	for line := range strings.Lines(file) {
		if fields := dataFields(line); len(fields) > 2 {
			list = append(list, redirector{fields[0], strings.TrimSuffix(fields[1], "/"), fields[2:]})
		}
	}
	return list
}

// dataFields splits a line of a data file at white space; "#" begins a comment.
func dataFields(line string) []string {
	line, _, _ = strings.Cut(line, "#")
	return strings.Fields(line)
}

// matchHost reports whether the host is the pattern's or one below it. A pattern that ends in ".*" stands for the name
// under any top-level domain: "google.*" is google.com and www.google.co.uk.
func matchHost(pattern, host string) bool {
	name, open := strings.CutSuffix(pattern, ".*")
	if !open {
		return host == pattern || strings.HasSuffix(host, "."+pattern)
	}
	at := strings.Index("."+host+".", "."+name+".")
	if at < 0 {
		return false
	}
	top := strings.TrimPrefix(host[min(at+len(name), len(host)):], ".")
	// One label, or two short ones: co.uk, com.br.
	first, second, two := strings.Cut(top, ".")
	return top != "" && (!two || len(first) <= 3 && len(second) <= 3)
}
