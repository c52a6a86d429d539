package schedule

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/topicwire/topicwire/aggregator"
)

// Jobs runs the handful of maintenance jobs of a process, on cron's runner. Feeds are not jobs: their due times live in
// the store.
type Jobs struct {
	log  *slog.Logger
	zone *time.Location
	jobs []*job
}

// job is one of Jobs.
type job struct {
	name string
	spec Spec
	do   func(context.Context) error
	log  *slog.Logger
	// running is held while the job runs.
	running sync.Mutex
}

// NewJobs makes an empty set of jobs. Specs that name no time zone are in zone; nil is UTC. A nil logger logs nothing.
func NewJobs(logger *slog.Logger, zone *time.Location) *Jobs {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	if zone == nil {
		zone = time.UTC
	}
	return &Jobs{log: logger, zone: zone}
}

// Add adds a job under a name that is its own and appears in the log. It must not be called once Run was. A cron spec
// fires at its nominal times; @every fires at fixed points in time, which restarts do not move.
func (j *Jobs) Add(name, spec string, do func(context.Context) error) error {
	parsed, err := parseIn(spec, j.zone)
	if err != nil {
		return fmt.Errorf("add job %s: %w", name, err)
	}
	if parsed.adaptive() {
		return fmt.Errorf("add job %s: %s is for feeds: a job has no rhythm to adapt to; write @daily or five fields", name, parsed)
	}
	if slices.ContainsFunc(j.jobs, func(other *job) bool { return other.name == name }) {
		return fmt.Errorf("add job %s: there is one of that name", name)
	}
	j.jobs = append(j.jobs, &job{name: name, spec: parsed, do: do, log: j.log})
	return nil
}

// Run runs the jobs as their times come, until ctx ends and the jobs under way have returned; they are given ctx. A job
// that fails or panics is logged and runs again at its next time. One whose time comes while it still runs is logged and
// skipped.
func (j *Jobs) Run(ctx context.Context) {
	runner := cron.New(cron.WithLocation(j.zone), cron.WithLogger(cron.DiscardLogger))
	for _, job := range j.jobs {
		runner.Schedule(job, cron.FuncJob(func() { job.run(ctx) }))
	}
	runner.Start()
	<-ctx.Done()
	<-runner.Stop().Done()
}

// Next makes a job its own cron.Schedule.
func (j *job) Next(after time.Time) time.Time {
	if j.spec.every > 0 {
		return nextPoint(aggregator.FeedID(j.name), after, j.spec.every)
	}
	return j.spec.nextNominal(after)
}

func (j *job) run(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	if !j.running.TryLock() {
		j.log.Warn("job skipped: its last run is not over", "job", j.name)
		return
	}
	defer j.running.Unlock()
	began := time.Now()
	defer func() {
		if v := recover(); v != nil {
			j.log.Error("job panicked", "job", j.name, "panic", v, "stack", string(debug.Stack()))
		}
	}()
	err := j.do(ctx)
	took := time.Since(began).Round(time.Millisecond)
	switch {
	case err != nil && ctx.Err() != nil:
		j.log.Info("job abandoned", "job", j.name, "duration", took)
	case err != nil:
		j.log.Error("job failed", "job", j.name, "duration", took, "error", err)
	default:
		j.log.Info("job done", "job", j.name, "duration", took)
	}
}
