// Package config reads the operator's YAML file into a Config whose every value has been checked.
//
// The file is read by people and edited at bad hours, so the package is strict and patient at once: a key that it does
// not know, a value of the wrong kind, an id that is given twice or a query that cannot be read is a Problem with its
// line and column and a way to mend it, and reading goes on, so that one run shows them all. A Config comes out only
// when there is no Problem; what it holds can be used without asking again. Only what breaks the YAML itself ends the
// reading early, because nothing after it can be trusted.
//
// # What is read
//
// A setting that is absent, or has no value, has its default; Default says which. Values are text first: 08, no and
// 2024-01-01 are what they look like wherever text is wanted. Durations are Go's with days and weeks added (90s, 36h,
// 7d, 1w), sizes are bytes with an optional unit (512KiB, 16MiB, 10MB). Anchors, aliases and merge keys work; top-level
// keys that begin with "x-" are passed over, as a place for anchors. Type tags (!!str) and further documents are
// refused.
//
// In a value, ${NAME} stands for the environment variable NAME and $${ for the two characters ${. Keys and comments
// are left alone. What a variable holds may be a secret: no Problem ever shows it, nor the user information of a URL. A
// feed whose URL has either is private, as one is that says so: its URL is not to be published.
//
// # Ids
//
// The ids of feeds and topics are part of published links and of the identity of items, so they are restricted to what
// needs no escaping, and a feed should be given one. A feed without an id gets one that is made from its URL by
// FeedIDFromURL: it then changes, and all items of the feed are new, when the URL changes. One whose URL holds a
// variable, or that says that it is private, must have an id.
//
// The package knows neither cron specs nor the query language; who calls it passes the checks in.
package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// MaxBytes is the size above which a config file is refused.
const MaxBytes = 128 << 20

// Config is what the operator's file says, checked, with the defaults filled in.
type Config struct {
	// Listen is the public server's address as host:port; port 0 is any free one.
	Listen string
	// BaseURL is what published links are built on: an http or https URL without a trailing slash. Its default is
	// "http://" with Listen, with localhost where that names no host.
	BaseURL string
	// Store is the store's URL. The path of a bolt URL is absolute (bolt:///var/lib/topicwire/topicwire.db), as it is,
	// without escapes: what follows "bolt://" is the name of the file.
	Store string
	// Schedule is the cron spec of feeds that have none of their own. Feeds already have it filled in.
	Schedule string
	// Contact is a URL (http, https or mailto) for the User-Agent; it may be empty.
	Contact     string
	Stories     Stories
	Fetch       Fetch
	Publish     Publish
	WebSub      WebSub
	Maintenance Maintenance
	// Retention says for how long items are kept, here and in the feeds and topics that have a rule of their own.
	Retention aggregator.Retention
	// Queries are those that topics refer to by @name, by their names; nil where there are none.
	Queries map[string]string
	// Headers are what requests for feeds have of their own, by the names of headers. A feed that has any is private.
	Headers map[aggregator.FeedID]map[string]string
	// Feeds and Topics are in the order of the file, the topics of packs first.
	Feeds  []aggregator.Feed
	Topics []aggregator.Topic
}

// Fetch bounds one fetch.
type Fetch struct {
	// Timeout is for the whole fetch, redirects and body included; ConnectTimeout for the way to an open connection and
	// again for TLS on it, HeaderTimeout for the wait from there to the end of the answer's headers.
	Timeout, ConnectTimeout, HeaderTimeout time.Duration
	// MinRate is how many bytes a second a body must bring, 0 for any pace.
	MinRate int64
	// MaxBody bounds the body in bytes after decompression, MaxDownload before; MaxHeader bounds an answer's headers.
	MaxBody, MaxDownload, MaxHeader int64
	// AllowPrivate lets all feeds resolve to loopback, private and link-local addresses; aggregator.Feed has the same
	// for one feed.
	AllowPrivate bool
	// Workers is how many fetches run at once; 0 derives it from the machine.
	Workers int
	// Redirects is how many are followed in one fetch, at least 1.
	Redirects int
	// HostConnections and HostDelay are the limit of every host that Hosts does not have.
	HostConnections int
	// AddressConnections is the limit of an address that several hosts are at, all together.
	AddressConnections int
	HostDelay          time.Duration
	// Hosts are limits of single hosts: domains without what is before the registered name, or addresses.
	Hosts map[string]HostLimit
	// MinInterval is the least time between two polls of a feed, MinIntervalUnvalidated that of one whose publisher gives
	// nothing to ask for changes with; 0 leaves it to the schedules. HintCeiling is how far a publisher's hints put a
	// poll off at most.
	MinInterval, MinIntervalUnvalidated, HintCeiling time.Duration
}

// HostLimit is what one host is asked of at most.
type HostLimit struct {
	// Connections is how many fetches may be under way at once, Delay the least time from one's beginning to the next's.
	Connections int
	Delay       time.Duration
}

// Publish shapes the merged feeds.
type Publish struct {
	// Stories is how many a merged feed holds, from 1 to 1000, Window the time whose stories it holds all of: whichever
	// is more, but never more than 1000.
	Stories int
	Window  time.Duration
	// MinAge and MaxAge bound how long caches may keep a merged feed, for Cache-Control. MaxAge 0 makes them ask each time.
	MinAge, MaxAge time.Duration
	// Archive keeps the complete history of the merged feeds as pages that lead back from them.
	Archive bool
	// CacheBytes bounds the memory for feeds and pages that are kept ready to be sent.
	CacheBytes int64
	// RepresentedBy are the criteria by which the report is chosen that stands for a story, the first of which counts most.
	// Priority has the feeds that have another one than 0; the greater goes before.
	RepresentedBy []string
	Priority      map[aggregator.FeedID]int
	Static        Static
}

// Static is where the site is written to as files.
type Static struct {
	// Schedule is a cron spec; empty is never.
	Schedule string
	// Dir is an absolute path.
	Dir string
}

// Maintenance is what is done besides polling.
type Maintenance struct {
	Backup     Backup
	StaleFeeds StaleFeeds
	// Prune removes what Retention lets go, Check looks for damage in the store, Compact gives the space back that it
	// does not need.
	Prune, Check, Compact Job
}

// Job is what is done on a schedule and needs no more settings.
type Job struct {
	// Schedule is a cron spec; empty is never.
	Schedule string
}

// Backup copies the store on a schedule.
type Backup struct {
	// Schedule is a cron spec; empty makes no backups.
	Schedule string
	// Dir is an absolute path.
	Dir string
	// Keep is how many copies are kept, at least 1.
	Keep int
}

// StaleFeeds reports feeds that bring nothing new.
type StaleFeeds struct {
	// Schedule is a cron spec; empty reports none.
	Schedule string
	// After is for how long a feed has brought nothing new before it is reported.
	After time.Duration
}

// Options are what Parse cannot do by itself. A nil check accepts everything; a nil Env knows no variable. What the
// errors of the checks say becomes a Problem's Text, and its Mend where it has a second part after "; ".
type Options struct {
	// Env looks an environment variable up, as os.LookupEnv does.
	Env func(name string) (string, bool)
	// CheckSchedule says what is wrong with a cron spec.
	CheckSchedule func(spec string) error
	// CheckHost says what is wrong with the name of a host that is given a limit of its own.
	CheckHost func(name string) error
	// Queries takes the named queries of the file and gives what says what is wrong with one of them, or, for an empty
	// name, with a query that may refer to them. An error that has a method Offset() int, in bytes from the query's
	// start, moves the Problem's place to there. One whose method InNamed() string names a query is about what is wrong
	// with that one, which is a Problem of its own.
	Queries func(named map[string]string) (check func(name, query string) error)
	// Packs are the topics that the file may take over by their ids.
	Packs []aggregator.Topic
}

// Default is the Config of an empty file in the given folder.
func Default(folder string) *Config {
	return &Config{
		Listen:   "127.0.0.1:8080",
		BaseURL:  "http://127.0.0.1:8080",
		Store:    "bolt://" + filepath.Join(folder, "topicwire.db"),
		Schedule: "@every 30m",
		Stories:  Stories{Near: true},
		Fetch: Fetch{
			Timeout: 30 * time.Second, ConnectTimeout: 10 * time.Second, HeaderTimeout: 20 * time.Second,
			MinRate: 1 << 10, MaxBody: 16 << 20, MaxDownload: 16 << 20, MaxHeader: 256 << 10, Redirects: 10,
			HostConnections: 2, AddressConnections: 8, HostDelay: 250 * time.Millisecond, HintCeiling: 24 * time.Hour,
		},
		Publish: Publish{
			Stories: 50, Window: 48 * time.Hour, MinAge: time.Minute, MaxAge: 15 * time.Minute, CacheBytes: 64 << 20, Archive: true,
			RepresentedBy: []string{ByPriority, ByEarliest, ByLongest}, Static: Static{Dir: filepath.Join(folder, "site")},
		},
		WebSub: defaultWebSub(),
		Maintenance: Maintenance{
			Backup:     Backup{Dir: filepath.Join(folder, "backups"), Keep: 7},
			StaleFeeds: StaleFeeds{Schedule: "@daily", After: 7 * 24 * time.Hour},
			Prune:      Job{Schedule: "@daily"},
		},
	}
}

// Load reads the file at path. The error is Problems where the file can be read and is not right; one of
// errors.Is(err, fs.ErrNotExist) where there is no file.
func Load(path string, o Options) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	defer f.Close()
	// One byte more than is accepted, so that Parse sees that it is too much.
	data, err := io.ReadAll(io.LimitReader(f, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	return Parse(path, data, o)
}

// Parse reads the text of a config file. The file's name is for Problems, and its folder is what relative paths in the
// text are relative to; the file itself is not touched. The error is Problems, sorted by place.
func Parse(file string, data []byte, o Options) (*Config, error) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return nil, fmt.Errorf("find the folder of config %s: %w", file, err)
	}
	r := newReader(file, filepath.Dir(abs), data, o)
	d, ok := r.read()
	if r.whole {
		r = newReader(file, filepath.Dir(abs), data, o)
		r.whole = true
		d, ok = r.read()
	}
	if !ok {
		return nil, r.sorted()
	}
	r.finish(d)
	if len(r.problems) > 0 {
		return nil, r.sorted()
	}
	return d.Config, nil
}

// read reads the file, but for what can be checked only at its end.
func (r *reader) read() (*draft, bool) {
	root, ok := r.document()
	if !ok {
		return nil, false
	}
	d := &draft{Config: Default(r.folder)}
	d.Fetch.MaxDownload = 0 // what is not given is what MaxBody then is
	readFields(r, root, "the config", rootFields, d)
	return d, true
}
