package config_test

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/config"
)

// Whatever the bytes are, the answer is a config that keeps its promises or problems with places in the file.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range append(files, exampleFile) {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("x: &x {<<: *x, a: [*x]}\nfeeds: [*x, {url: 'http://é/', id: ? a : b}]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := config.Parse(file, data, options())
		if err == nil {
			checkPromises(t, c)
			return
		}
		var problems config.Problems
		if !errors.As(err, &problems) || len(problems) == 0 {
			t.Fatalf("error is %v, want Problems", err)
		}
		lines := strings.Count(string(data), "\n") + 1
		for _, p := range problems {
			if p.Text == "" || p.Line < 1 || p.Line > lines+1 || p.Column < 1 {
				t.Errorf("a problem without text or outside of the %d lines: %+v", lines, p)
			}
			if strings.Contains(p.String(), "hunter2") && !strings.Contains(string(data), "hunter2") {
				t.Errorf("a problem shows what a variable holds: %s", p)
			}
		}
	})
}

func checkPromises(t *testing.T, c *config.Config) {
	t.Helper()
	if c.Fetch.Timeout <= 0 || c.Fetch.MaxBody <= 0 || c.Fetch.Workers < 0 || c.Fetch.Redirects < 1 || c.Publish.Stories < 1 ||
		c.Publish.Window <= 0 || c.Publish.MaxAge < 0 || c.Maintenance.Backup.Keep < 1 || c.Maintenance.StaleFeeds.After <= 0 {
		t.Errorf("a limit is not positive: %+v", c)
	}
	if !filepath.IsAbs(strings.TrimPrefix(c.Store, "bolt://")) || !filepath.IsAbs(c.Maintenance.Backup.Dir) {
		t.Errorf("a path is relative: %q, %q", c.Store, c.Maintenance.Backup.Dir)
	}
	if c.Schedule == "" || c.BaseURL == "" || strings.HasSuffix(c.BaseURL, "/") {
		t.Errorf("schedule %q, base URL %q", c.Schedule, c.BaseURL)
	}
	feeds := map[aggregator.FeedID]bool{}
	topics := map[aggregator.TopicID]bool{}
	for _, f := range c.Feeds {
		if f.ID == "" || len(f.ID) > 64 || feeds[f.ID] || f.Schedule == "" || !strings.HasPrefix(strings.ToLower(f.URL), "http") || f.MaxAge < 0 {
			t.Errorf("feed %+v is not right, or its id is there twice", f)
		}
		if u, err := url.Parse(f.URL); err != nil || u.User != nil && !f.Private {
			t.Errorf("feed %s has user information and is not private: %v", f.ID, err)
		}
		feeds[f.ID] = true
	}
	for _, topic := range c.Topics {
		if topic.ID == aggregator.AllTopics || len(topic.ID) > 64 || topic.ID == "all" || topics[topic.ID] || topic.Title == "" || topic.Query == "" {
			t.Errorf("topic %+v is not right, or its id is there twice", topic)
		}
		topics[topic.ID] = true
		for _, f := range topic.Feeds {
			if !feeds[f] {
				t.Errorf("topic %s has the unknown feed %q", topic.ID, f)
			}
		}
	}
	for _, f := range c.Feeds {
		for _, topic := range f.Topics {
			if !topics[topic] {
				t.Errorf("feed %s has the unknown topic %q", f.ID, topic)
			}
		}
	}
}
