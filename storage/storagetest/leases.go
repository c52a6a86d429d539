package storagetest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

func leaseCases() []testCase {
	return []testCase{
		{"the longest due come first, up to the limit, each once", claimOrder},
		{"a feed that is not due is not claimed", func(b *bench) {
			b.sync("a")
			b.same("leases a moment before", b.claim(start.Add(-1)), []aggregator.Lease(nil))
			b.same("leases at the moment", len(b.claim(start)), 1)
		}},
		{"a lease runs out and another takes the feed", leaseRunsOut},
		{"a lease that has run out can be committed until another has the feed", func(b *bench) {
			b.sync("a")
			l := b.claim(start)[0]
			b.ok(b.store.Commit(b.ctx, outcome(l, item("a", "one", 1))))
			b.same("items", guids(b.items()), []string{"one"})
		}},
		{"a released feed is due as before", func(b *bench) {
			b.sync("a")
			l := b.claim(start)[0]
			b.ok(b.store.Release(b.ctx, l))
			b.is(b.store.Commit(b.ctx, outcome(l)), aggregator.ErrLeaseLost)
			again := b.claim(start)
			b.same("leases", len(again), 1)
			l.Token = again[0].Token
			b.same("lease", again[0], l)
			l.Token--
			b.ok(b.store.Release(b.ctx, l)) // A lost lease is passed over and takes nothing from its successor.
			b.ok(b.store.Commit(b.ctx, outcome(again[0])))
			b.ok(b.store.Release(b.ctx))
		}},
		{"a postponed feed is due then, and else as before", func(b *bench) {
			b.sync("a", "b")
			leases := b.claim(start)
			before := b.status("b")
			leases[0].Due, leases[0].URL = at(30), "not stored"
			b.ok(b.store.Postpone(b.ctx, leases[0]))
			b.is(b.store.Commit(b.ctx, outcome(leases[0])), aggregator.ErrLeaseLost)
			want := before
			want.Feed, want.State.Due = feed("a"), at(30)
			b.reopen()
			b.same("postponed", b.status("a"), want)
			b.same("not postponed", b.status("b"), before)
			b.same("leases before", len(b.claim(at(29))), 1)
			again := b.claim(at(30))
			b.same("leases then", len(again), 1)
			leases[0].Due = at(99)
			b.ok(b.store.Postpone(b.ctx, leases[0])) // A lost lease is passed over.
			b.same("due", b.status("a").State.Due, at(30))
			b.ok(b.store.Commit(b.ctx, outcome(again[0])))
			b.ok(b.store.Postpone(b.ctx))
		}},
		{"a leased feed is read until the lease is lost", func(b *bench) {
			b.sync("a", "b")
			l := b.claim(start)
			b.same("leased", b.leased(l[0]), b.status("a"))
			other := l[0]
			other.Token++
			_, err := b.store.Leased(b.ctx, other)
			b.is(err, aggregator.ErrLeaseLost)
			other = l[0]
			other.URL += "/elsewhere"
			_, err = b.store.Leased(b.ctx, other)
			b.is(err, aggregator.ErrLeaseLost)
			b.ok(b.store.Commit(b.ctx, outcome(l[0])))
			b.ok(b.store.Release(b.ctx, l[1]))
			for _, lost := range append(l, aggregator.Lease{Feed: "none", Token: 1}) {
				_, err = b.store.Leased(b.ctx, lost)
				b.is(err, aggregator.ErrLeaseLost)
			}
		}},
		{"many leased feeds are read with one call, each for itself", func(b *bench) {
			b.sync("a", "b", "c")
			l := b.claim(start)
			b.ok(b.store.Release(b.ctx, l[1]))
			given := append(l, aggregator.Lease{Feed: "none", Token: 1})
			statuses := make([]*aggregator.FeedStatus, len(given))
			for i := range statuses {
				statuses[i] = &aggregator.FeedStatus{Active: true, State: aggregator.FeedState{Title: "of another"}}
			}
			errs := b.store.LeasedEach(b.ctx, given, statuses)
			b.same("answers", len(errs), 4)
			for i, want := range []error{nil, aggregator.ErrLeaseLost, nil, aggregator.ErrLeaseLost} {
				b.is(errs[i], want)
				if want == nil {
					b.same("leased", *statuses[i], b.status(given[i].Feed))
				} else {
					b.same("lost", *statuses[i], aggregator.FeedStatus{})
				}
			}
			ctx, cancel := context.WithCancel(b.ctx)
			cancel()
			errs = b.store.LeasedEach(ctx, given[:1], statuses[:1])
			b.is(errs[0], context.Canceled)
		}},
		{"a lease has the URL at which the feed is polled", leaseURL},
		{"many polls are committed with one call, each for itself", func(b *bench) {
			b.sync("a", "b", "c", "d")
			l := b.claim(start)
			l[1].Token += 1_000_000
			bad := item("c", "bad", 1)
			bad.ID = aggregator.ItemID{}
			polls := []aggregator.Poll{
				outcome(l[0], item("a", "one", 1)), outcome(l[1], item("b", "two", 2)), outcome(l[2], bad), outcome(l[3]),
			}
			errs := b.store.CommitEach(b.ctx, []*aggregator.Poll{&polls[0], &polls[1], &polls[2], &polls[3]})
			b.same("errors", len(errs), 4)
			for i, want := range []error{nil, aggregator.ErrLeaseLost, aggregator.ErrRefused, nil} {
				b.is(errs[i], want)
			}
			b.same("items", guids(b.items()), []string{"one"})
			b.same("due", b.status("d").State.Due, at(60))
			b.same("errors of none", len(b.store.CommitEach(b.ctx, nil)), 0)
			b.ok(b.store.Commit(b.ctx, outcome(l[2])))
		}},
		{"a state that was made ready is what a poll without items leaves", func(b *bench) {
			b.sync("a", "b", "c", "d")
			l := b.claim(start)
			b.ok(b.store.Commit(b.ctx, outcome(l[1], item("b", "one", 1))))
			again, err := b.store.ClaimFeed(b.ctx, "b", start, time.Minute)
			b.ok(err)
			l[1] = again
			l[2].Token += 1_000_000
			var prepared []aggregator.Prepared
			for i := range 3 {
				state := fullState()
				p := b.store.Prepare(l[i].Feed, l[i].Token, &state)
				b.same("feed", p.Feed(), l[i].Feed)
				b.same("due", p.Due(), state.Due)
				state = aggregator.FeedState{}
				prepared = append(prepared, p)
			}
			ctx, cancel := context.WithCancel(b.ctx)
			cancel()
			for _, err := range b.store.CommitPrepared(ctx, prepared) {
				b.is(err, context.Canceled)
			}
			errs := b.store.CommitPrepared(b.ctx, prepared)
			b.same("errors", len(errs), 3)
			for i, want := range []error{nil, nil, aggregator.ErrLeaseLost} {
				b.is(errs[i], want)
			}
			want := fullState()
			b.same("state", b.status("a").State, want)
			want.Items = 1
			b.same("state of one with an item", b.status("b").State, want)
			b.same("due", b.status("c").State.Due, start)
			b.is(b.store.CommitPrepared(b.ctx, prepared[:1])[0], aggregator.ErrLeaseLost)
		}},
		{"what is given back, runs out or falls due is claimed before what was passed over", claimOrderAgain},
		{"one feed is leased whether it is due or not", func(b *bench) {
			b.sync("a", "b")
			b.sync("a")
			_, err := b.store.ClaimFeed(b.ctx, "b", start, time.Minute)
			b.is(err, aggregator.ErrNotFound)
			_, err = b.store.ClaimFeed(b.ctx, "none", start, time.Minute)
			b.is(err, aggregator.ErrNotFound)
			l, err := b.store.ClaimFeed(b.ctx, "a", at(-10), 5*time.Minute)
			b.ok(err)
			b.same("lease", l, aggregator.Lease{Feed: "a", URL: feed("a").URL, Due: start, Token: l.Token})
			b.same("feed", b.leased(l), aggregator.FeedStatus{Feed: feed("a"), State: aggregator.FeedState{Due: start}, Active: true})
			_, err = b.store.ClaimFeed(b.ctx, "a", at(-6), time.Minute)
			b.is(err, aggregator.ErrLeased)
			second, err := b.store.ClaimFeed(b.ctx, "a", at(-5), time.Hour)
			b.ok(err)
			b.same("leases meanwhile", b.claim(start), []aggregator.Lease(nil))
			b.is(b.store.Commit(b.ctx, outcome(l)), aggregator.ErrLeaseLost)
			b.ok(b.store.Commit(b.ctx, outcome(second)))
		}},
		{"a commit ends the lease", func(b *bench) {
			b.sync("a")
			l := b.claim(start)[0]
			b.ok(b.store.Commit(b.ctx, outcome(l, item("a", "one", 1))))
			b.is(b.store.Commit(b.ctx, outcome(l, item("a", "two", 2))), aggregator.ErrLeaseLost)
			b.same("items", guids(b.items()), []string{"one"})
			b.same("leases before it is due", b.claim(at(59)), []aggregator.Lease(nil))
			b.same("leases when it is due", len(b.claim(at(60))), 1)
		}},
		{"a feed that moves or goes loses its lease", leaseOfChangedFeed},
		{"a lease does not outlive the store's being open", func(b *bench) {
			b.sync("a")
			old := b.claim(start)[0]
			b.reopen()
			b.is(b.store.Commit(b.ctx, outcome(old, item("a", "one", 1))), aggregator.ErrLeaseLost)
			l := b.claim(start)[0]
			b.is(b.store.Commit(b.ctx, outcome(old, item("a", "one", 1))), aggregator.ErrLeaseLost)
			b.ok(b.store.Commit(b.ctx, outcome(l)))
			b.same("items", b.items(), []aggregator.Item(nil))
		}},
		{"of many who claim at once each feed goes to one", claimAtOnce},
		{"a cancelled context claims, commits and releases nothing", func(b *bench) {
			b.sync("a", "b")
			l := b.lease("a")
			cancelled, cancel := context.WithCancel(b.ctx)
			cancel()
			_, err := b.store.Claim(cancelled, start, time.Minute, 1)
			b.is(err, context.Canceled)
			b.is(b.store.Commit(cancelled, outcome(l, item("a", "one", 1))), context.Canceled)
			b.is(b.store.Release(cancelled, l), context.Canceled)
			b.ok(b.store.Commit(b.ctx, outcome(l)))
			b.same("items", b.items(), []aggregator.Item(nil))
		}},
	}
}

func claimOrder(b *bench) {
	minutes := map[aggregator.FeedID]int{"a": 5, "b": 1, "c": 4, "d": 2, "e": 2, "f": 6}
	var feeds []aggregator.Feed
	for id := range minutes {
		feeds = append(feeds, feed(id))
	}
	due := func(f aggregator.Feed, _ aggregator.FeedState) time.Time { return at(minutes[f.ID]) }
	b.ok(b.store.SyncFeeds(b.ctx, feeds, due))
	var got []string
	for {
		leases, err := b.store.Claim(b.ctx, at(5), time.Minute, 2)
		b.ok(err)
		if len(leases) == 0 {
			break
		}
		line := ""
		for _, l := range leases {
			line += string(l.Feed)
		}
		got = append(got, line)
	}
	b.same("claims", got, []string{"bd", "ec", "a"})
	none, err := b.store.Claim(b.ctx, at(9), time.Minute, 0)
	b.ok(err)
	b.same("claim of none", len(none), 0)
}

// claimOrderAgain has many feeds leased, of which some become free again in each way.
func claimOrderAgain(b *bench) {
	var ids []aggregator.FeedID
	for i := range 20 {
		ids = append(ids, aggregator.FeedID(fmt.Sprintf("f%02d", i)))
	}
	b.sync(ids...)
	claim := func(now time.Time, duration time.Duration, limit int, want ...aggregator.FeedID) []aggregator.Lease {
		b.Helper()
		leases, err := b.store.Claim(b.ctx, now, duration, limit)
		b.ok(err)
		var got []aggregator.FeedID
		for _, l := range leases {
			got = append(got, l.Feed)
		}
		b.same("claimed", got, want)
		return leases
	}
	first := claim(start, time.Minute, 3, "f00", "f01", "f02")
	second := claim(start, time.Hour, 3, "f03", "f04", "f05")
	b.ok(b.store.Release(b.ctx, second[1]))
	claim(start, time.Hour, 2, "f04", "f06")
	first[1].Due = at(-5)
	b.ok(b.store.Postpone(b.ctx, first[1]))
	claim(start, time.Hour, 2, "f01", "f07")
	p := outcome(second[0])
	p.State.Due = at(-9)
	b.ok(b.store.Commit(b.ctx, p))
	claim(start, time.Hour, 2, "f03", "f08")
	claim(at(1), time.Hour, 3, "f00", "f02", "f09")
	b.ok(b.store.SyncFeeds(b.ctx, []aggregator.Feed{feed("a"), feed("f10"), feed("f11")}, dueAt(at(-20))))
	claim(at(1), time.Hour, 2, "a", "f10")
	b.ok(b.store.Commit(b.ctx, outcome(aggregator.Lease{Feed: "a", Token: claimedToken(b, "a")})))
	claim(at(1), time.Hour, 2, "f11")
	b.ok(b.store.MakeDue(b.ctx, at(-30)))
	claim(at(1), time.Hour, 2, "a")
}

// claimedToken is the token of a lease of the feed that takes the place of one that has run out.
func claimedToken(b *bench, id aggregator.FeedID) uint64 {
	b.Helper()
	l, err := b.store.ClaimFeed(b.ctx, id, at(1000), time.Hour)
	b.ok(err)
	return l.Token
}

func leaseURL(b *bench) {
	b.sync("a")
	const moved, again = "https://example.net/moved", "https://example.net/again"
	commit := func(l aggregator.Lease, movedTo string, due time.Time) {
		p := outcome(l)
		p.State.MovedTo, p.State.Due = movedTo, due
		b.ok(b.store.Commit(b.ctx, p))
	}
	for i, step := range []struct {
		movedTo, want string
		due           time.Time
	}{
		{moved, moved, start}, {moved, moved, at(1)}, {again, again, at(1)}, {"", feed("a").URL, at(2)}, {moved, moved, at(2)}, {"", feed("a").URL, at(2)},
	} {
		l, err := b.store.ClaimFeed(b.ctx, "a", start, time.Minute)
		b.ok(err)
		commit(l, step.movedTo, step.due)
		if i%2 == 1 {
			b.reopen()
		}
		l = b.claim(step.due)[0]
		b.same("URL", l.URL, step.want)
		b.same("the feed's own", b.leased(l).Feed.URL, feed("a").URL)
		b.ok(b.store.Release(b.ctx, l))
	}
	f := feed("a")
	f.URL = "https://example.com/new"
	b.ok(b.store.SyncFeeds(b.ctx, []aggregator.Feed{f}, dueAt(at(2))))
	b.same("URL", b.claim(at(2))[0].URL, f.URL)
}

func leaseRunsOut(b *bench) {
	b.sync("a")
	first := b.claim(start)[0]
	b.same("leases while it is held", b.claim(at(10).Add(-1)), []aggregator.Lease(nil))
	second := b.claim(at(10))
	b.same("leases when it has run out", len(second), 1)
	b.is(b.store.Commit(b.ctx, outcome(first, item("a", "one", 1))), aggregator.ErrLeaseLost)
	b.ok(b.store.Release(b.ctx, first))
	b.same("leases while the second is held", b.claim(at(19)), []aggregator.Lease(nil))
	b.ok(b.store.Commit(b.ctx, outcome(second[0], item("a", "two", 2))))
	b.same("items", guids(b.items()), []string{"two"})
}

func leaseOfChangedFeed(b *bench) {
	b.sync("moves", "goes", "stays")
	leases := b.claim(start)
	moved, renamed := feed("moves"), feed("stays")
	moved.URL += "/moved"
	renamed.Title = "renamed"
	b.ok(b.store.SyncFeeds(b.ctx, []aggregator.Feed{moved, renamed}, dueAt(start)))
	for _, l := range leases {
		err := b.store.Commit(b.ctx, outcome(l, item(l.Feed, "one", 1)))
		if l.Feed == "stays" {
			b.ok(err)
			continue
		}
		b.is(err, aggregator.ErrLeaseLost)
	}
	b.same("feeds with items", len(b.items()), 1)
	b.same("title", b.status("stays").Feed.Title, "renamed")
	b.is(b.store.Commit(b.ctx, aggregator.Poll{Feed: "unknown", Token: 1}), aggregator.ErrLeaseLost)
}

func claimAtOnce(b *bench) {
	var ids []aggregator.FeedID
	for i := range 200 {
		ids = append(ids, aggregator.FeedID(fmt.Sprint("feed", i)))
	}
	b.sync(ids...)
	var mu sync.Mutex
	polled := make(map[aggregator.FeedID]int)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				leases, err := b.store.Claim(b.ctx, start, time.Minute, 7)
				if err != nil {
					b.Errorf("claim: %v", err)
				}
				if len(leases) == 0 {
					return
				}
				for _, l := range leases {
					if err := b.store.Commit(b.ctx, outcome(l, item(l.Feed, "one", 1))); err != nil {
						b.Errorf("commit: %v", err)
					}
					mu.Lock()
					polled[l.Feed]++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		if polled[id] != 1 {
			b.Errorf("feed %q was polled %d times", id, polled[id])
		}
	}
	b.same("items", len(b.items()), len(ids))
}
