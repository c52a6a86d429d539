package config

import (
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/topicwire/topicwire/aggregator"
)

// The tables of all keys that the file may have. A test holds config.example.yaml against them.
var (
	rootFields = []field[draft]{
		{"listen", func(r *reader, n ast.Node, d *draft) { r.readListen(n, d) }},
		{"base_url", func(r *reader, n ast.Node, d *draft) { r.readBaseURL(n, d) }},
		{"store", func(r *reader, n ast.Node, d *draft) { r.readStore(n, &d.Store) }},
		{"schedule", func(r *reader, n ast.Node, d *draft) { r.readSchedule(n, false, &d.Schedule) }},
		{"contact", func(r *reader, n ast.Node, d *draft) { r.readContact(n, &d.Contact) }},
		{"stories", func(r *reader, n ast.Node, d *draft) { r.readNear(n, &d.Stories.Near) }},
		{"fetch", func(r *reader, n ast.Node, d *draft) { readFields(r, n, "fetch", fetchFields, &d.Fetch) }},
		{"publish", func(r *reader, n ast.Node, d *draft) { readFields(r, n, "publish", publishFields, &d.Publish) }},
		{"websub", func(r *reader, n ast.Node, d *draft) { r.readWebSub(n, d) }},
		{"maintenance", func(r *reader, n ast.Node, d *draft) {
			readFields(r, n, "maintenance", maintenanceFields, &d.Maintenance)
		}},
		{"retention", func(r *reader, n ast.Node, d *draft) {
			readFields(r, n, "retention", keepFields, &d.Retention.General)
		}},
		{"feeds", func(r *reader, n ast.Node, d *draft) { r.readFeeds(n, d) }},
		{"packs", func(r *reader, n ast.Node, d *draft) { r.readPacks(n, d) }},
		{"queries", func(r *reader, n ast.Node, d *draft) { r.readQueries(n, d) }},
		{"topics", func(r *reader, n ast.Node, d *draft) { r.readTopics(n, d) }},
	}
	fetchFields = []field[Fetch]{
		{"timeout", func(r *reader, n ast.Node, f *Fetch) { r.readDuration(n, time.Millisecond, &f.Timeout) }},
		{"connect_timeout", func(r *reader, n ast.Node, f *Fetch) { r.readDuration(n, time.Millisecond, &f.ConnectTimeout) }},
		{"header_timeout", func(r *reader, n ast.Node, f *Fetch) { r.readDuration(n, time.Millisecond, &f.HeaderTimeout) }},
		{"min_rate", func(r *reader, n ast.Node, f *Fetch) { r.readSize(n, 0, 1<<30, &f.MinRate) }},
		{"max_body", func(r *reader, n ast.Node, f *Fetch) { r.readSize(n, 1, 4<<30, &f.MaxBody) }},
		{"max_download", func(r *reader, n ast.Node, f *Fetch) { r.readSize(n, 1, 4<<30, &f.MaxDownload) }},
		{"max_header", func(r *reader, n ast.Node, f *Fetch) { r.readSize(n, 4<<10, 16<<20, &f.MaxHeader) }},
		{"allow_private", func(r *reader, n ast.Node, f *Fetch) { r.readBool(n, &f.AllowPrivate) }},
		{"workers", func(r *reader, n ast.Node, f *Fetch) { r.readInt(n, 0, 10_000, &f.Workers) }},
		{"redirects", func(r *reader, n ast.Node, f *Fetch) { r.readInt(n, 1, 100, &f.Redirects) }},
		{"address_connections", func(r *reader, n ast.Node, f *Fetch) { r.readInt(n, 1, 10_000, &f.AddressConnections) }},
		{"host_connections", func(r *reader, n ast.Node, f *Fetch) { r.readInt(n, 1, 10_000, &f.HostConnections) }},
		{"host_delay", func(r *reader, n ast.Node, f *Fetch) { r.readDuration(n, 0, &f.HostDelay) }},
		{"hosts", func(r *reader, n ast.Node, f *Fetch) { r.readHosts(n, f) }},
		{"min_interval", func(r *reader, n ast.Node, f *Fetch) { r.readDuration(n, 0, &f.MinInterval) }},
		{"min_interval_unvalidated", func(r *reader, n ast.Node, f *Fetch) { r.readDuration(n, 0, &f.MinIntervalUnvalidated) }},
		{"hint_ceiling", func(r *reader, n ast.Node, f *Fetch) { r.readDuration(n, time.Second, &f.HintCeiling) }},
	}
	hostFields = []field[HostLimit]{
		{"connections", func(r *reader, n ast.Node, l *HostLimit) { r.readInt(n, 1, 10_000, &l.Connections) }},
		{"delay", func(r *reader, n ast.Node, l *HostLimit) { r.readDuration(n, 0, &l.Delay) }},
	}
	publishFields = []field[Publish]{
		{"archive", func(r *reader, n ast.Node, p *Publish) { r.readBool(n, &p.Archive) }},
		{"stories", func(r *reader, n ast.Node, p *Publish) { r.readInt(n, 1, 1000, &p.Stories) }},
		{"window", func(r *reader, n ast.Node, p *Publish) { r.readDuration(n, time.Second, &p.Window) }},
		{"min_age", func(r *reader, n ast.Node, p *Publish) { r.readDuration(n, 0, &p.MinAge) }},
		{"max_age", func(r *reader, n ast.Node, p *Publish) { r.readDuration(n, 0, &p.MaxAge) }},
		{"cache_bytes", func(r *reader, n ast.Node, p *Publish) { r.readSize(n, 1<<20, 1<<40, &p.CacheBytes) }},
		{"represented_by", func(r *reader, n ast.Node, p *Publish) { r.readCriteria(n, &p.RepresentedBy) }},
		{"static", func(r *reader, n ast.Node, p *Publish) { readFields(r, n, "static", staticFields, &p.Static) }},
	}
	staticFields = []field[Static]{
		{"schedule", func(r *reader, n ast.Node, s *Static) { r.readSchedule(n, true, &s.Schedule) }},
		{"dir", func(r *reader, n ast.Node, s *Static) { r.readDir(n, &s.Dir) }},
	}
	maintenanceFields = []field[Maintenance]{
		{"backup", func(r *reader, n ast.Node, m *Maintenance) { readFields(r, n, "backup", backupFields, &m.Backup) }},
		{"stale_feeds", func(r *reader, n ast.Node, m *Maintenance) {
			readFields(r, n, "stale_feeds", staleFields, &m.StaleFeeds)
		}},
		{"prune", func(r *reader, n ast.Node, m *Maintenance) { readFields(r, n, "prune", jobFields, &m.Prune) }},
		{"check", func(r *reader, n ast.Node, m *Maintenance) { readFields(r, n, "check", jobFields, &m.Check) }},
		{"compact", func(r *reader, n ast.Node, m *Maintenance) { readFields(r, n, "compact", jobFields, &m.Compact) }},
	}
	jobFields = []field[Job]{
		{"schedule", func(r *reader, n ast.Node, j *Job) { r.readSchedule(n, true, &j.Schedule) }},
	}
	keepFields = []field[aggregator.Keep]{
		{"age", func(r *reader, n ast.Node, k *aggregator.Keep) { r.readDuration(n, 0, &k.Age) }},
		{"items", func(r *reader, n ast.Node, k *aggregator.Keep) { r.readInt(n, 0, 1_000_000_000, &k.Items) }},
	}
	backupFields = []field[Backup]{
		{"schedule", func(r *reader, n ast.Node, b *Backup) { r.readSchedule(n, true, &b.Schedule) }},
		{"dir", func(r *reader, n ast.Node, b *Backup) { r.readDir(n, &b.Dir) }},
		{"keep", func(r *reader, n ast.Node, b *Backup) { r.readInt(n, 1, 100_000, &b.Keep) }},
	}
	staleFields = []field[StaleFeeds]{
		{"schedule", func(r *reader, n ast.Node, s *StaleFeeds) { r.readSchedule(n, true, &s.Schedule) }},
		{"after", func(r *reader, n ast.Node, s *StaleFeeds) { r.readDuration(n, time.Second, &s.After) }},
	}
	feedFields = []field[feedDraft]{
		{"id", func(r *reader, n ast.Node, f *feedDraft) { f.id, _ = r.readID(n, "feed") }},
		{"url", func(r *reader, n ast.Node, f *feedDraft) { f.url, f.urlGiven = r.readFeedURL(n), true }},
		{"title", func(r *reader, n ast.Node, f *feedDraft) { r.readText(n, maxTitle, &f.Title) }},
		{"schedule", func(r *reader, n ast.Node, f *feedDraft) { r.readSchedule(n, false, &f.Schedule) }},
		{"topics", func(r *reader, n ast.Node, f *feedDraft) { f.topics = r.readRefs(n) }},
		{"tags", func(r *reader, n ast.Node, f *feedDraft) { r.readTags(n, &f.Tags) }},
		{"max_age", func(r *reader, n ast.Node, f *feedDraft) { r.readDuration(n, time.Second, &f.MaxAge) }},
		{"allow_private", func(r *reader, n ast.Node, f *feedDraft) { r.readBool(n, &f.AllowPrivate) }},
		{"private", func(r *reader, n ast.Node, f *feedDraft) { r.readBool(n, &f.Private) }},
		{"stories", func(r *reader, n ast.Node, f *feedDraft) {
			near := true
			r.readNear(n, &near)
			f.exact = !near
		}},
		{"priority", func(r *reader, n ast.Node, f *feedDraft) { r.readInt(n, -1000, 1000, &f.priority) }},
		{"subscribe", func(r *reader, n ast.Node, f *feedDraft) {
			f.subscribe = new(bool)
			r.readBool(n, f.subscribe)
		}},
		{"headers", func(r *reader, n ast.Node, f *feedDraft) { f.headers = r.readHeaders(n) }},
		{"retention", func(r *reader, n ast.Node, f *feedDraft) { f.keep = r.readKeep(n) }},
	}
	topicFields = []field[topicDraft]{
		{"id", func(r *reader, n ast.Node, t *topicDraft) { t.id, t.idGiven = r.readID(n, "topic") }},
		{"pack", func(r *reader, n ast.Node, t *topicDraft) { t.pack, t.packGiven = r.readPack(n) }},
		{"title", func(r *reader, n ast.Node, t *topicDraft) { r.readText(n, maxTitle, &t.Title) }},
		{"description", func(r *reader, n ast.Node, t *topicDraft) { r.readText(n, maxDescription, &t.Description) }},
		{"query", func(r *reader, n ast.Node, t *topicDraft) { t.query, t.queryGiven = r.readQuery(n) }},
		{"stem", func(r *reader, n ast.Node, t *topicDraft) { t.stem = r.readStem(n) }},
		{"feeds", func(r *reader, n ast.Node, t *topicDraft) { t.feeds = r.readRefs(n) }},
		{"formerly", func(r *reader, n ast.Node, t *topicDraft) { t.formerly = r.readRefs(n) }},
		{"retention", func(r *reader, n ast.Node, t *topicDraft) { t.keep = r.readKeep(n) }},
	}
)

// The longest titles and descriptions, in bytes: they are repeated in every document that is published.
const maxTitle, maxDescription = 1000, 10_000

// section is a part of the file with the keys that it may have.
type section struct {
	// where is the section as in "it belongs ...".
	where string
	keys  []string
}

func sections() []section {
	return []section{
		{"at the top level", fieldNames(rootFields)},
		{"under fetch", fieldNames(fetchFields)},
		{"under a host in fetch.hosts", fieldNames(hostFields)},
		{"under publish", fieldNames(publishFields)},
		{"under publish.static", fieldNames(staticFields)},
		{"under maintenance", fieldNames(maintenanceFields)},
		{"under maintenance.backup", fieldNames(backupFields)},
		{"under maintenance.stale_feeds", fieldNames(staleFields)},
		{"under retention", fieldNames(keepFields)},
		{"in a feed", fieldNames(feedFields)},
		{"in a topic", fieldNames(topicFields)},
	}
}

// readKeep reads a rule of retention: one without limits keeps for ever, whatever the general one says.
func (r *reader) readKeep(n ast.Node) *aggregator.Keep {
	keep := new(aggregator.Keep)
	readFields(r, n, "retention", keepFields, keep)
	return keep
}

func (r *reader) readListen(n ast.Node, d *draft) {
	s, ok := r.scalar(n)
	if !ok {
		return
	}
	const mend = "write host:port, as in 127.0.0.1:8080, or :8080 for all addresses of the machine"
	host, port, err := net.SplitHostPort(s.text)
	if err != nil || strings.ContainsAny(host, " /@") {
		r.wrong(s, "is no address", mend)
		return
	}
	if number, err := strconv.Atoi(port); err != nil || number < 0 || number > 65535 {
		r.wrong(s, "has no port from 0 to 65535", mend)
		return
	}
	d.Listen = s.text
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	d.listenURL = "http://" + net.JoinHostPort(host, port)
}

func (r *reader) readBaseURL(n ast.Node, d *draft) {
	s, ok := r.scalar(n)
	if !ok {
		return
	}
	u := r.webURL(s, "https://wire.example.org")
	if u == nil {
		return
	}
	if u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		r.problem(s.at, "base_url has more than a host and a path",
			"remove user information, ? and #: published links begin with it")
		return
	}
	d.baseURL = strings.TrimRight(u.String(), "/")
}

func (r *reader) readContact(n ast.Node, into *string) {
	s, ok := r.scalar(n)
	if !ok || s.text == "" {
		return
	}
	address, isMail := strings.CutPrefix(s.text, "mailto:")
	switch {
	case isMail && strings.Count(address, "@") == 1 && isURLText(address):
		*into = s.text
	case isMail, !strings.Contains(s.text, "/") && strings.Contains(s.text, "@"):
		r.wrong(s, "is no URL", "write mailto:name@example.org, or the URL of a page")
	default:
		if u := r.webURL(s, "https://example.org/about"); u != nil {
			*into = u.String()
		}
	}
}

func (r *reader) readStore(n ast.Node, into *string) {
	s, ok := r.scalar(n)
	if !ok {
		return
	}
	scheme, path, found := strings.Cut(s.text, "://")
	switch {
	case !found:
		r.wrongURL(s, "is no URL", "write bolt:// before the file's path, as in bolt://topicwire.db")
	case scheme != "bolt":
		r.wrongURL(s, "is of a kind that is not known", "write bolt:// with the path of a file, as in bolt://topicwire.db")
	case strings.HasPrefix(path, "~"):
		r.problem(s.at, "~ is not expanded in store", "write the whole path, or bolt://${HOME}/topicwire.db")
	case path == "" || strings.HasSuffix(path, "/") || strings.ContainsRune(path, 0):
		r.wrongURL(s, "names no file", "write the path of a file after bolt://, as in bolt://topicwire.db")
	default:
		*into = "bolt://" + r.absolute(path)
	}
}

func (r *reader) readDir(n ast.Node, into *string) {
	s, ok := r.scalar(n)
	if !ok {
		return
	}
	if s.text == "" || strings.HasPrefix(s.text, "~") || strings.ContainsRune(s.text, 0) {
		r.wrong(s, "is no path of a folder", "write a path, absolute or relative to this file's folder; ~ is not expanded")
		return
	}
	*into = r.absolute(s.text)
}

// absolute resolves a path against the config file's folder.
func (r *reader) absolute(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(r.folder, path)
}

// webURL reads an http or https URL with a host, or notes what is wrong with it.
func (r *reader) webURL(s scalar, example string) *url.URL {
	mend := "write a whole one, as in " + example
	if s.text == "" {
		r.problem(s.at, r.name()+" is empty", mend)
		return nil
	}
	if !isURLText(s.text) {
		r.wrongURL(s, "holds white space or control characters", "write %20 for a space within a URL, and put nothing around it")
		return nil
	}
	u, err := url.Parse(s.text)
	scheme, rest, hasScheme := strings.Cut(s.text, "://")
	switch {
	case err == nil && u.Opaque == "" && u.Scheme != "http" && u.Scheme != "https" && hasScheme:
		mend = "only http and https are read: " + mend
		if scheme == "feed" && !s.expanded && !strings.Contains(rest, "@") {
			mend = "write " + quote("https://"+rest)
		}
		r.wrongURL(s, "is neither http nor https", mend)
	case !hasScheme:
		if looksLikeHost(s.text) && !s.expanded {
			mend = "write " + quote("https://"+strings.TrimLeft(s.text, "/"))
		}
		r.wrongURL(s, "has no scheme", mend)
	case err != nil, u.Opaque != "":
		r.wrongURL(s, "is no URL", mend)
	case u.Hostname() == "" || !validHost(u):
		r.wrongURL(s, "has no valid host", mend)
	default:
		return u
	}
	return nil
}

func looksLikeHost(s string) bool {
	host, _, _ := strings.Cut(strings.TrimLeft(s, "/"), "/")
	return strings.Contains(host, ".") && !strings.ContainsAny(host, "@:?#")
}

func validHost(u *url.URL) bool {
	if port := u.Port(); port != "" {
		if number, err := strconv.Atoi(port); err != nil || number < 1 || number > 65535 {
			return false
		}
	}
	return len(u.Hostname()) <= 253 && !strings.HasPrefix(u.Hostname(), ".") && !strings.Contains(u.Hostname(), "..")
}

// isURLText reports whether s has only characters that may stand in a URL, which must not break an HTTP header.
func isURLText(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool {
		return c <= ' ' || c == 0x7f || c == 0x85 || c == 0xa0 || c == 0x2028 || c == 0x2029
	})
}

// redacted shows a URL without what may be secret: user information and the query. Where it cannot be told what is
// user information, all up to the last @ is taken for it.
func redacted(s scalar) string {
	raw := s.raw
	if !strings.Contains(raw, "@") {
		base, _, found := strings.Cut(raw, "?")
		if found {
			base += "?..."
		}
		return quote(base)
	}
	start := strings.Index(raw, "://")
	if start = start + len("://"); start < len("://") {
		start = 0
	}
	end := max(strings.LastIndexByte(raw, '@'), start)
	base, _, _ := strings.Cut(raw[end:], "?")
	return quote(raw[:start] + "..." + base)
}
