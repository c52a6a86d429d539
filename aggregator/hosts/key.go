package hosts

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Key says whom a request asks.
type Key struct {
	// Host is whose servers they are, which is what limits go by: the domain below a top-level one ("blogspot.com" for
	// "https://news.blogspot.com/feed", "bbc.co.uk" for "https://feeds.bbci.bbc.co.uk/"). Addresses, and names that are
	// not in the public name space, are hosts of their own, each with its port ("192.0.2.1:8080", "intranet:80").
	Host string
	// Tenant is who answers for what they serve, which is what holds go by. It is the registrable domain by the public
	// suffix list: the Host, but for a platform that gives out names below its own to customers who are not to suffer
	// for each other ("news.blogspot.com").
	Tenant string
}

// Public reports whether the key is that of a name in the public name space.
func (k Key) Public() bool { return !strings.Contains(k.Host, ":") }

// CheckName says what is wrong with the name of a host in Limits.Hosts, in words that follow the name.
func CheckName(name string) error {
	host := KeyOf("http://" + name + "/").Host
	switch bare, _, private := cutPort(host); {
	case host == name, private && (bare == name || bare == "["+name+"]"):
		return nil
	case strings.HasSuffix(name, "."+host):
		return fmt.Errorf("shares the limit of all of %[1]s; write %[1]s", host)
	}
	return errors.New("is no name of a host; write its domain, as in blogspot.com, or its address, as in 192.0.2.1")
}

// cutPort splits the port off the key of a private name.
func cutPort(host string) (name, port string, ok bool) {
	i := strings.LastIndexByte(host, ':')
	if i < 0 {
		return host, "", false
	}
	return host[:i], host[i+1:], true
}

// KeyOf is the key of an http or https URL. What cannot be read as one is a host of its own.
func KeyOf(rawURL string) Key {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" {
		return Key{rawURL, rawURL}
	}
	return KeyOfURL(u)
}

// KeyOfURL is the key of an http or https URL that names a host.
func KeyOfURL(u *url.URL) Key {
	name := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if isAddress(name) {
		return privateKey(u, name)
	}
	suffix, icann := publicsuffix.PublicSuffix(name)
	if !icann && !strings.Contains(suffix, ".") {
		// What the list does not have gets its last label as the suffix.
		return privateKey(u, name)
	}
	tenant := below(name, suffix)
	host := tenant
	// The private part of the list names the platforms. What is below them is a tenant's; the platform is what is below
	// the suffix of a registry (and of the platforms that are part of a greater one, the greatest).
	for !icann && strings.Contains(suffix, ".") {
		_, parent, _ := strings.Cut(suffix, ".")
		outer, isRegistry := publicsuffix.PublicSuffix(parent)
		host = below(suffix, outer)
		suffix, icann = outer, isRegistry
	}
	return Key{host, tenant}
}

// privateKey is the key of what is not in the public name space: the name and the port.
func privateKey(u *url.URL, name string) Key {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	if rest, ok := strings.CutPrefix(u.Host, name); ok && rest == ":"+port {
		return Key{u.Host, u.Host} // the usual case, without memory for the same text
	}
	name += ":" + port
	return Key{name, name}
}

// isAddress reports whether name is an IP address, which no name ends like.
func isAddress(name string) bool {
	if name == "" || strings.IndexByte("0123456789", name[len(name)-1]) < 0 && !strings.Contains(name, ":") {
		return false
	}
	_, err := netip.ParseAddr(name)
	return err == nil
}

// below is the part of name that has one label more than its suffix; name itself where it is the suffix.
func below(name, suffix string) string {
	if len(name) <= len(suffix) {
		return name
	}
	rest := name[:len(name)-len(suffix)-1]
	return name[strings.LastIndexByte(rest, '.')+1:]
}
