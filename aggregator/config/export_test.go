package config

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
