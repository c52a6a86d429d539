package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/config"
	"github.com/topicwire/topicwire/aggregator/schedule"
)

// maintenance is the daemon's own jobs, by the cron specs of the config.
func (s *station) maintenance(storeFile string) (*schedule.Jobs, error) {
	jobs := schedule.NewJobs(s.log, time.UTC)
	m := s.config.Maintenance
	if m.Backup.Schedule != "" {
		err := jobs.Add("backup", m.Backup.Schedule, func(ctx context.Context) error {
			return s.backup(ctx, filepath.Base(storeFile))
		})
		if err != nil {
			return nil, fmt.Errorf("maintenance.backup.schedule: %w", err)
		}
	}
	if m.StaleFeeds.Schedule != "" {
		if err := jobs.Add("stale feeds", m.StaleFeeds.Schedule, s.reportStaleFeeds); err != nil {
			return nil, fmt.Errorf("maintenance.stale_feeds.schedule: %w", err)
		}
	}
	if spec := s.config.Publish.Static.Schedule; spec != "" {
		if err := jobs.Add("write the site as files", spec, s.publishStatic); err != nil {
			return nil, fmt.Errorf("publish.static.schedule: %w", err)
		}
	}
	for _, job := range []struct {
		name, key string
		config.Job
		do func(context.Context) error
	}{
		{"prune", "prune", m.Prune, s.pruneStore}, {"check the store", "check", m.Check, s.checkStore},
		{"compact the store", "compact", m.Compact, s.compactStore},
	} {
		if job.Schedule == "" {
			continue
		}
		if err := jobs.Add(job.name, job.Schedule, job.do); err != nil {
			return nil, fmt.Errorf("maintenance.%s.schedule: %w", job.key, err)
		}
	}
	return jobs, nil
}

func (s *station) pruneStore(ctx context.Context) error {
	report, err := s.Prune(ctx)
	if report.Items > 0 {
		s.log.Info("items were removed that are no longer kept", "items", report.Items, "revisions", report.Revisions)
	}
	return err
}

func (s *station) checkStore(ctx context.Context) error {
	report, err := s.Check(ctx, false)
	switch {
	case err != nil:
		return err
	case report.Found > 0:
		return fmt.Errorf("%w; the first: %s", errProblems{report.Found}, report.Problems[0])
	}
	s.log.Info("the store is checked", "items", report.Items)
	return nil
}

func (s *station) compactStore(ctx context.Context) error {
	report, err := s.Compact(ctx)
	if err != nil {
		return err
	}
	s.log.Info("the store is compacted", "before", report.Before, "after", report.After)
	return nil
}

// backupTime is how a backup's file name says when it was made, so that names sort by age.
const backupTime = "20060102T150405Z"

// backup writes a copy of the store into the backup folder and removes the oldest copies beyond those to keep.
func (s *station) backup(ctx context.Context, name string) error {
	b := s.config.Maintenance.Backup
	if err := os.MkdirAll(b.Dir, 0o700); err != nil {
		return fmt.Errorf("make the backup folder: %w", err)
	}
	path := filepath.Join(b.Dir, name+"."+s.now().UTC().Format(backupTime))
	report, err := backupFile(ctx, s, path)
	if err != nil {
		return err
	}
	s.log.Info("the store is backed up", "file", path, "items", report.Items)
	entries, err := os.ReadDir(b.Dir)
	if err != nil {
		return fmt.Errorf("list the backups: %w", err)
	}
	var copies []string
	for _, e := range entries {
		made, ok := strings.CutPrefix(e.Name(), name+".")
		if _, err := time.Parse(backupTime, made); ok && err == nil {
			copies = append(copies, e.Name())
		}
	}
	slices.Sort(copies)
	var failed error
	for _, old := range copies[:max(0, len(copies)-b.Keep)] {
		failed = errors.Join(failed, os.Remove(filepath.Join(b.Dir, old)))
	}
	return failed
}

// reportStaleFeeds logs the feeds that nobody might miss otherwise: those that keep failing, and those that are read
// without error and have brought nothing new for long.
func (s *station) reportStaleFeeds(ctx context.Context) error {
	limit := s.now().Add(-s.config.Maintenance.StaleFeeds.After)
	var failing, silent []string
	for status, err := range s.store.Feeds(ctx) {
		if err != nil {
			return err
		}
		state := status.State
		switch {
		case !status.Active || state.LastPoll.At.IsZero():
		case state.LastPoll.Outcome == aggregator.OutcomeFailed && state.LastSuccess.Before(limit):
			failing = append(failing, string(status.Feed.ID))
		case state.LastNew.Before(limit):
			silent = append(silent, string(status.Feed.ID))
		}
	}
	if len(failing) > 0 {
		s.log.Warn("feeds without a good poll for long; 'topicwire feeds list' says why", "since", limit.UTC(), "feeds", failing)
	}
	if len(silent) > 0 {
		s.log.Warn("feeds without a new item for long", "since", limit.UTC(), "feeds", silent)
	}
	return nil
}
