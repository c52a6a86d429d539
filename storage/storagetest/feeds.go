package storagetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// fullFeed has every field set.
func fullFeed(id aggregator.FeedID) aggregator.Feed {
	return aggregator.Feed{
		ID: id, URL: "https://example.org/\xff", Title: "Nachrichten für Ürümqi", Schedule: "CRON_TZ=Asia/Karachi */5 * * * *",
		Topics: []aggregator.TopicID{"cloud", "privacy"}, Tags: []string{"", "b", "a"},
		MaxAge: 36*time.Hour + 1, AllowPrivate: true, Private: true,
	}
}

// fullState has every field set, with what a publisher can do to it.
func fullState() aggregator.FeedState {
	return aggregator.FeedState{
		Due: at(60).Add(1), Validators: aggregator.Validators{ETag: "W/\"\xfe\x00 \"", LastModified: "yesterday, about noon"},
		BodyHash: aggregator.HashOf("body"),
		Title:    "t", Link: "l", Language: "ur-PK", DocumentID: "urn:d", Rights: "© R",
		LastPoll: aggregator.PollRecord{
			At: at(1).Add(123456789), Duration: 1234567 * time.Nanosecond, Outcome: aggregator.OutcomeFailed, Status: 599,
			Bytes: 1 << 40, Error: "broken", Repairs: []string{"one", "two"}, Listed: 1, New: 2, Changed: 3, TooOld: 4,
		},
		Pace: aggregator.Pace{
			Hints: aggregator.Hints{
				FreshUntil: at(71), TTL: time.Hour + 1, UpdatePeriod: time.Minute, UpdateBase: at(-1), SkipHours: 1<<23 | 1, SkipDays: 0x7f,
			},
			Rhythm: aggregator.Rhythm{
				Seen: at(3), Latest: at(4).Add(5), Arrivals: 0.1, Watched: 1e30, ByHour: [24]float32{0: 1.5, 23: 2.5},
				ByDay: [7]float32{0: 3.5, 6: 4.5}, Covered: 12.25, Fill: 3 * time.Hour,
			},
			NotBefore: at(70), Throttled: 3, Gone: at(5),
		},
		History:     fullHistory(),
		Move:        aggregator.Move{Target: "https://example.net/\xff", Since: at(6), Polls: 2, Refused: "no"},
		MovedTo:     "https://example.net/feed",
		LastSuccess: at(2), LastNew: time.Date(1601, 1, 1, 0, 0, 0, 5, time.UTC), LastChange: at(8), LastWhole: at(7), Failures: 7, Restless: 4,
	}
}

func fullHistory() (h aggregator.History) {
	for i := range h {
		h[i] = aggregator.PastPoll{Minute: ^uint32(i), Mark: aggregator.Mark(1 + i)}
	}
	return h
}

// fullPoll has a full state and a listing.
func fullPoll(l aggregator.Lease) aggregator.Poll {
	return aggregator.Poll{Feed: l.Feed, Token: l.Token, State: fullState(), Relist: true, Listing: []aggregator.ListedItem{
		{Bytes: aggregator.HashOf("1"), GUID: aggregator.HashOf("g"), Link: aggregator.HashOf("l"), Repeat: aggregator.HashOf("r")},
		{Bytes: aggregator.HashOf("2")},
	}}
}

// listing checks what is stored of the feed's last document.
func (b *bench) listing(id aggregator.FeedID, want []aggregator.ListedItem) {
	b.Helper()
	got, err := b.store.Listing(b.ctx, id)
	b.ok(err)
	b.same("listing", got, want)
}

func feedCases() []testCase {
	return []testCase{
		{"an empty store has nothing", emptyStore},
		{"a feed comes back as it was given, also after reopening", feedRoundTrip},
		{"feeds are listed by id, inactive ones too", func(b *bench) {
			b.sync("b", "c", "a", "a b", "ä")
			b.sync("c", "a")
			var got []string
			for _, s := range collect(b, b.store.Feeds(b.ctx)) {
				got = append(got, fmt.Sprintf("%s %v", s.Feed.ID, s.Active))
			}
			b.same("list", got, []string{"a true", "a b false", "b false", "c true", "ä false"})
		}},
		{"many feeds are listed once each", func(b *bench) {
			var want []aggregator.FeedID
			for i := range 700 {
				want = append(want, aggregator.FeedID(fmt.Sprintf("feed-%04d", i)))
			}
			b.sync(want...)
			var got []aggregator.FeedID
			for _, s := range collect(b, b.store.Feeds(b.ctx)) {
				got = append(got, s.Feed.ID)
			}
			b.same("list", got, want)
		}},
		{"what differs in a feed is stored, and its due time stays", func(b *bench) {
			b.sync("a")
			changed := feed("a")
			changed.Title, changed.Tags = "new", []string{"x"}
			b.ok(b.store.SyncFeeds(b.ctx, []aggregator.Feed{changed}, b.never))
			b.same("status", b.status("a"), aggregator.FeedStatus{
				Feed: changed, State: aggregator.FeedState{Due: start}, Active: true,
			})
		}},
		{"a feed whose id is another from now on is there under that", func(b *bench) {
			for _, ids := range [][2]aggregator.FeedID{{"b", "a"}, {"a", "c"}} {
				renamed := feed(ids[0])
				renamed.ID = ids[1]
				b.sync(ids[0])
				b.ok(b.store.SyncFeeds(b.ctx, []aggregator.Feed{renamed}, dueAt(start)))
				b.same("status", b.status(ids[1]), aggregator.FeedStatus{Feed: renamed, State: aggregator.FeedState{Due: start}, Active: true})
				b.same("before", b.status(ids[0]).Active, false)
			}
		}},
		{"a new schedule brings a new due time and keeps the state", func(b *bench) { rescheduled(b, false) }},
		{"a new URL brings a new due time and drops what the old one vouched for", func(b *bench) { rescheduled(b, true) }},
		{"a feed that comes back has its state", feedComesBack},
		{"feeds without an id or with the same one change nothing", badFeeds},
		{"a changed max age makes the document be read again", func(b *bench) {
			b.sync("a")
			l := b.lease("a")
			b.ok(b.store.Commit(b.ctx, fullPoll(l)))
			f := feed("a")
			f.MaxAge++
			b.ok(b.store.SyncFeeds(b.ctx, []aggregator.Feed{f}, b.never))
			b.same("status", b.status("a"), aggregator.FeedStatus{Feed: f, State: fullState().Unread(), Active: true})
			b.listing("a", nil)
		}},
		{"making due respects what the publisher asked for", func(b *bench) {
			b.sync("a")
			l := b.lease("a")
			state := fullState()
			state.Due, state.Pace.NotBefore = at(90), at(70)
			b.ok(b.store.Commit(b.ctx, aggregator.Poll{Feed: "a", Token: l.Token, State: state}))
			b.ok(b.store.MakeDue(b.ctx, at(50)))
			b.same("due before the time asked for", len(b.claim(at(69))), 0)
			b.same("due at the time asked for", len(b.claim(at(70))), 1)
		}},
		{"making due leaves feeds that are stopped", func(b *bench) {
			b.sync("a", "b")
			l := b.lease("a")
			state := fullState()
			state.Due, state.Pace.Stopped, state.Pace.NotBefore = aggregator.Never, "gone", time.Time{}
			b.ok(b.store.Commit(b.ctx, aggregator.Poll{Feed: "a", Token: l.Token, State: state}))
			b.ok(b.store.MakeDue(b.ctx, at(50)))
			b.reopen()
			b.same("status", b.status("a"), aggregator.FeedStatus{Feed: feed("a"), State: state, Active: true})
		}},
		{"making due moves later due times only, of active feeds only", makeDue},
		{"the next due time is the earliest of the active feeds", nextDue},
	}
}

func emptyStore(b *bench) {
	_, err := b.store.Feed(b.ctx, "none")
	b.is(err, aggregator.ErrNotFound)
	_, err = b.store.Item(b.ctx, aggregator.ItemID{1})
	b.is(err, aggregator.ErrNotFound)
	next, err := b.store.NextDue(b.ctx, start)
	b.ok(err)
	b.same("next due", next, time.Time{})
	b.same("claimed", b.claim(start), []aggregator.Lease(nil))
	b.same("feeds", collect(b, b.store.Feeds(b.ctx)), []aggregator.FeedStatus(nil))
	b.same("items", b.items(), []aggregator.Item(nil))
	b.same("stories", b.stories(aggregator.AllTopics), []aggregator.Story(nil))
	b.same("version", b.version("cloud"), aggregator.Version{})
	b.same("version of all", b.version(aggregator.AllTopics), aggregator.Version{})
	revisions, err := b.store.Revisions(b.ctx, aggregator.ItemID{1})
	b.ok(err)
	b.same("revisions", revisions, []aggregator.Revision(nil))
	b.ok(b.store.MakeDue(b.ctx, start))
	b.ok(b.store.SyncFeeds(b.ctx, nil, b.never))
}

func feedRoundTrip(b *bench) {
	want := aggregator.FeedStatus{Feed: fullFeed("a"), State: fullState(), Active: true}
	b.ok(b.store.SyncFeeds(b.ctx, []aggregator.Feed{want.Feed}, dueAt(start)))
	l := b.lease("a")
	b.same("leased feed", b.leased(l).Feed, want.Feed)
	b.ok(b.store.Commit(b.ctx, fullPoll(l)))
	b.same("status", b.status("a"), want)
	b.listing("a", fullPoll(l).Listing)
	b.reopen()
	b.same("status after reopening", b.status("a"), want)
	b.listing("a", fullPoll(l).Listing)
	b.same("list", collect(b, b.store.Feeds(b.ctx)), []aggregator.FeedStatus{want})
	b.ok(b.store.SyncFeeds(b.ctx, []aggregator.Feed{want.Feed}, b.never))
	b.same("status after syncing again", b.status("a"), want)
}

func rescheduled(b *bench, newURL bool) {
	b.sync("a")
	l := b.lease("a")
	b.ok(b.store.Commit(b.ctx, fullPoll(l)))
	want := fullState()
	f := feed("a")
	f.Schedule = "@daily"
	if newURL {
		f.Schedule, f.URL = feed("a").Schedule, "https://example.net/moved"
		want = want.Moved()
	}
	err := b.store.SyncFeeds(b.ctx, []aggregator.Feed{f}, func(g aggregator.Feed, s aggregator.FeedState) time.Time {
		b.same("feed that due is asked about", g, f)
		b.same("state that due is asked about", s, want)
		return at(99)
	})
	b.ok(err)
	want.Due = at(99)
	b.same("status", b.status("a"), aggregator.FeedStatus{Feed: f, State: want, Active: true})
	if newURL {
		b.listing("a", nil)
	} else {
		b.listing("a", fullPoll(l).Listing)
	}
	b.same("feeds due before that", b.claim(at(98)), []aggregator.Lease(nil))
	if got := b.claim(at(99)); len(got) != 1 {
		b.Fatalf("%d feeds are due then, want 1", len(got))
	}
}

func feedComesBack(b *bench) {
	b.sync("a", "b")
	b.poll("a", item("a", "one", 1, "cloud"))
	want := b.status("a")
	b.sync("b")
	b.same("feeds due", len(b.claim(at(1000))), 1)
	want.Active = false
	b.same("inactive status", b.status("a"), want)
	b.same("items", guids(b.items()), []string{"one"})
	b.same("stories", shape(b.stories("cloud")), [][]string{{"one"}})
	b.reopen()
	b.ok(b.store.SyncFeeds(b.ctx, []aggregator.Feed{feed("a"), feed("b")}, b.never))
	want.Active = true
	b.same("status", b.status("a"), want)
	b.same("feeds due again", len(b.claim(at(1000))), 2)
}

func badFeeds(b *bench) {
	b.sync("a")
	for _, feeds := range [][]aggregator.Feed{
		{feed("x"), {URL: "https://example.org"}},
		{feed("x"), feed("y"), feed("x")},
	} {
		if err := b.store.SyncFeeds(b.ctx, feeds, dueAt(start)); err == nil {
			b.Errorf("syncing %v gave no error", feeds)
		}
	}
	cancelled, cancel := context.WithCancel(b.ctx)
	cancel()
	b.is(b.store.SyncFeeds(cancelled, nil, dueAt(start)), context.Canceled)
	list := collect(b, b.store.Feeds(b.ctx))
	b.same("feeds", list, []aggregator.FeedStatus{
		{Feed: feed("a"), State: aggregator.FeedState{Due: start}, Active: true},
	})
}

func makeDue(b *bench) {
	times := map[aggregator.FeedID]time.Time{"early": at(1), "late": at(100), "off": at(100)}
	due := func(f aggregator.Feed, _ aggregator.FeedState) time.Time { return times[f.ID] }
	b.ok(b.store.SyncFeeds(b.ctx, []aggregator.Feed{feed("early"), feed("late"), feed("off")}, due))
	b.ok(b.store.SyncFeeds(b.ctx, []aggregator.Feed{feed("early"), feed("late")}, b.never))
	b.ok(b.store.MakeDue(b.ctx, at(50)))
	b.reopen()
	var got []time.Time
	for _, id := range []aggregator.FeedID{"early", "late", "off"} {
		got = append(got, b.status(id).State.Due)
	}
	b.same("due times", got, []time.Time{at(1), at(50), at(100)})
	b.same("feeds due at 49", len(b.claim(at(49))), 1)
	b.same("feeds due at 50", len(b.claim(at(50))), 1)
}

func nextDue(b *bench) {
	times := map[aggregator.FeedID]time.Time{"a": at(3), "b": at(2), "off": at(1)}
	due := func(f aggregator.Feed, _ aggregator.FeedState) time.Time { return times[f.ID] }
	b.ok(b.store.SyncFeeds(b.ctx, []aggregator.Feed{feed("a"), feed("b"), feed("off")}, due))
	b.ok(b.store.SyncFeeds(b.ctx, []aggregator.Feed{feed("a"), feed("b")}, b.never))
	expect := func(now, want time.Time) {
		b.Helper()
		got, err := b.store.NextDue(b.ctx, now)
		b.ok(err)
		b.same("next due", got, want)
	}
	expect(start, at(2))
	leases := b.claim(at(2))
	b.same("leases", len(leases), 1)
	expect(at(2), at(3))
	expect(at(11), at(3))
	expect(at(12), at(2)) // The lease has run out.
	b.ok(b.store.Release(b.ctx, leases...))
	expect(at(2), at(2))
	b.claim(at(3))
	expect(at(3), time.Time{})
	b.reopen()
	expect(at(3), at(2))
}

// closed calls give an error, whatever it is.
func isClosed(b *bench, err error) {
	b.Helper()
	if err == nil || errors.Is(err, aggregator.ErrNotFound) {
		b.Fatalf("error = %v, want that the store is closed", err)
	}
}
