package config

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// readHosts reads the limits of single hosts, by their names. What a limit leaves out is filled in at the end.
func (r *reader) readHosts(n ast.Node, f *Fetch) {
	n, ok := r.resolve(n)
	if !ok || isNull(n) {
		return
	}
	pairs, ok := r.pairs(n, "fetch.hosts", 0)
	if !ok {
		return
	}
	for _, p := range pairs {
		name := strings.ToLower(p.key)
		r.push(p.key)
		if what, mend := r.badHost(name); what != "" {
			r.problem(p.at, "host "+quote(p.key)+" "+what, mend)
		}
		limit := HostLimit{Delay: -1}
		readFields(r, p.value, "a host's limit", hostFields, &limit)
		if f.Hosts == nil {
			f.Hosts = make(map[string]HostLimit)
		}
		f.Hosts[name] = limit
		r.pop()
	}
}

// badHost says what is wrong with the name of a host, and nothing when it is right.
func (r *reader) badHost(name string) (what, mend string) {
	const example = "write its domain, as in blogspot.com, or its address, as in 192.0.2.1"
	if name == "" || strings.ContainsAny(name, "/@?# ") {
		return "is no name of a host", example
	}
	if r.options.CheckHost == nil {
		return "", ""
	}
	if err := r.options.CheckHost(name); err != nil {
		what, mend, _ = strings.Cut(err.Error(), "; ")
		return what, firstOf(mend, example)
	}
	return "", ""
}
