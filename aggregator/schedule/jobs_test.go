package schedule_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topicwire/topicwire/aggregator/schedule"
)

func TestJobsRunAtTheirTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		jobs := schedule.NewJobs(nil, time.FixedZone("east", 5*3600))
		var daily, every []time.Time
		record := func(list *[]time.Time) func(context.Context) error {
			return func(context.Context) error { *list = append(*list, time.Now()); return nil }
		}
		if err := errors.Join(jobs.Add("prune", "0 3 * * *", record(&daily)), jobs.Add("stats", "@every 6h", record(&every))); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() { jobs.Run(ctx); close(done) }()
		time.Sleep(72 * time.Hour) // synctest's clock
		cancel()
		<-done
		if len(daily) != 3 || len(every) != 12 {
			t.Fatalf("ran %d and %d times in 3 days, want 3 and 12", len(daily), len(every))
		}
		for _, d := range daily {
			if u := d.UTC(); u.Hour() != 22 || u.Minute() != 0 || u.Second() != 0 {
				t.Errorf("3:00 five hours east of UTC ran at %s", u)
			}
		}
	})
}

func TestAJobThatFailsOrPanicsRunsAgainAndIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		jobs := schedule.NewJobs(slog.New(slog.NewTextHandler(&log, nil)), nil)
		runs := 0
		err := jobs.Add("flaky", "@every 1m", func(context.Context) error {
			switch runs++; runs {
			case 1:
				panic("out of paper")
			case 2:
				return errors.New("out of ink")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute+time.Second)
		defer cancel()
		jobs.Run(ctx)
		if runs != 3 {
			t.Errorf("ran %d times, want 3", runs)
		}
		for _, want := range []string{"job panicked", "out of paper", "job failed", "out of ink", "job done", "job=flaky"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log does not say %q:\n%s", want, log.String())
			}
		}
	})
}

func TestAJobThatStillRunsIsSkippedAndHasTimeToEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		jobs := schedule.NewJobs(slog.New(slog.NewTextHandler(&log, nil)), nil)
		starts, ends := 0, 0
		err := jobs.Add("backup", "@every 1m", func(ctx context.Context) error {
			starts++
			<-ctx.Done()
			time.Sleep(10 * time.Second) // synctest's clock: what it takes to leave in order
			ends++
			return ctx.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute+time.Second)
		defer cancel()
		jobs.Run(ctx)
		if starts != 1 || ends != 1 {
			t.Errorf("%d starts and %d ends when Run returned, want 1 and 1", starts, ends)
		}
		for _, want := range []string{"job skipped", "job abandoned"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log does not say %q:\n%s", want, log.String())
			}
		}
	})
}

func TestAddRefuses(t *testing.T) {
	jobs := schedule.NewJobs(nil, nil)
	nothing := func(context.Context) error { return nil }
	if err := jobs.Add("prune", "@daily", nothing); err != nil {
		t.Fatal(err)
	}
	if err := jobs.Add("prune", "@weekly", nothing); err == nil || !strings.Contains(err.Error(), "prune") {
		t.Errorf("a second job of the same name: %v", err)
	}
	if err := jobs.Add("compact", "0 0 31 2 *", nothing); err == nil || !strings.Contains(err.Error(), "never comes") {
		t.Errorf("a spec that never comes: %v", err)
	}
	if err := jobs.Add("stats", "@adaptive", nothing); err == nil || !strings.Contains(err.Error(), "no rhythm") {
		t.Errorf("a spec that is for feeds: %v", err)
	}
}
