package config

import "path/filepath"

// Keys are the paths of all keys that the package reads, lists passed over: "fetch.timeout", "feeds.url".
func Keys() []string {
	var keys []string
	for prefix, names := range map[string][]string{
		"":             fieldNames(rootFields),
		"fetch.hosts.": nil, // their names are the operator's; config.example.yaml shows one in words
		"fetch.":       fieldNames(fetchFields), "publish.": fieldNames(publishFields),
		"websub.":      fieldNames(webSubFields),
		"maintenance.": fieldNames(maintenanceFields), "maintenance.backup.": fieldNames(backupFields),
		"maintenance.stale_feeds.": fieldNames(staleFields), "feeds.": fieldNames(feedFields), "topics.": fieldNames(topicFields),
		"maintenance.prune.": fieldNames(jobFields), "maintenance.check.": fieldNames(jobFields),
		"maintenance.compact.": fieldNames(jobFields), "retention.": fieldNames(keepFields),
		"feeds.retention.": fieldNames(keepFields), "topics.retention.": fieldNames(keepFields),
	} {
		for _, name := range names {
			keys = append(keys, prefix+name)
		}
	}
	return keys
}

// ParseWhole is Parse without reading long lists in pieces.
func ParseWhole(file string, data []byte, o Options) (*Config, error) {
	r := newReader(file, filepath.Dir(file), data, o)
	r.whole = true
	d, ok := r.read()
	if ok {
		r.finish(d)
	}
	if len(r.problems) > 0 {
		return nil, r.sorted()
	}
	return d.Config, nil
}

// ReadInPieces reports whether the file's feeds are read in pieces.
func ReadInPieces(data []byte) bool {
	r := newReader("", "", data, Options{})
	_, _ = r.read()
	return r.block != nil && !r.whole
}
