package bolt_test

import (
	"context"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/storage/bolt"
)

// TestLongWorkReportsProgress holds that what is done never falls while a part of the work lasts, and that the part which
// takes longest ends where it said it would.
func TestLongWorkReportsProgress(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	filled(t, path)
	s := open(t, path)
	defer s.Close()
	const items = 20 * 20
	for name, tc := range map[string]struct {
		work  func(ctx context.Context, s *bolt.Store) error
		whole aggregator.Progress
	}{
		"check": {func(ctx context.Context, s *bolt.Store) error {
			_, err := s.Check(ctx, false)
			return err
		}, aggregator.Progress{What: "checking items", Unit: "items", Done: items, Total: items}},
		"compact": {func(ctx context.Context, s *bolt.Store) error {
			_, err := s.Compact(ctx)
			return err
		}, aggregator.Progress{What: "compacting items", Unit: "items", Done: items, Total: items}},
		"prune": {func(ctx context.Context, s *bolt.Store) error {
			_, err := s.Prune(ctx, aggregator.Retention{General: aggregator.Keep{Age: 1000 * time.Hour}}, start)
			return err
		}, aggregator.Progress{What: "looking for items that are no longer kept", Unit: "items", Done: items, Total: items}},
		"refile": {func(ctx context.Context, s *bolt.Store) error {
			_, err := s.Refile(ctx, aggregator.HashOf("other rules"), func(aggregator.Item) []aggregator.TopicID { return nil })
			return err
		}, aggregator.Progress{What: "filing stored items anew", Done: items, Total: items}},
		"backup": {func(ctx context.Context, s *bolt.Store) error { return s.Backup(ctx, io.Discard) },
			aggregator.Progress{What: "copying the store", Unit: "bytes"}},
	} {
		t.Run(name, func(t *testing.T) {
			var last aggregator.Progress
			ended := make(map[string]aggregator.Progress)
			ctx := aggregator.WithProgress(t.Context(), func(p aggregator.Progress) {
				if p.What == last.What && p.Done < last.Done || p.Done < 0 || p.Total > 0 && p.Done > p.Total {
					t.Errorf("after %+v comes %+v", last, p)
				}
				last = p
				ended[p.What] = p
			})
			if err := tc.work(ctx, s); err != nil {
				t.Fatal(err)
			}
			got := ended[tc.whole.What]
			if tc.whole.Total == 0 { // the size of the file
				tc.whole.Total, tc.whole.Done = got.Total, got.Total
			}
			if got != tc.whole || got.Total == 0 {
				t.Errorf("ended with %+v, want %+v; all: %v", got, tc.whole, ended)
			}
		})
	}
}
