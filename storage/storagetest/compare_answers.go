package storagetest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/storage"
)

func (p *pair) versions() (all [2][]aggregator.Version) {
	for i, s := range p.both() {
		for _, topic := range append(slices.Clone(poolTopics), aggregator.AllTopics) {
			v, err := s.Version(p.ctx, topic)
			p.ok(err)
			all[i] = append(all[i], v)
		}
	}
	return all
}

// compareVersions checks that the same versions moved since it was called last.
func (p *pair) compareVersions(what string) {
	p.Helper()
	now := p.versions()
	for n := range now[0] {
		store, model := now[0][n] != p.last[0][n], now[1][n] != p.last[1][n]
		if store != model {
			p.Fatalf("%s: version %d moved: %v, want %v", what, n, store, model)
		}
	}
	p.last = now
}

// answers is all that a store can be asked.
type answers struct {
	Feeds     []aggregator.FeedStatus
	Listings  [][]aggregator.ListedItem
	NextDue   time.Time
	Items     map[string][]aggregator.Item
	Latest    [][]aggregator.Item
	Stories   map[string][]aggregator.Story
	ByID      []aggregator.Story
	Volumes   [][]aggregator.DayVolume
	Known     []aggregator.KnownItem
	Revisions [][]aggregator.Revision
	Authority string
	Stats     aggregator.StoreStats
}

func (p *pair) ask(s storage.Store) answers {
	p.Helper()
	a := answers{Items: make(map[string][]aggregator.Item), Stories: make(map[string][]aggregator.Story)}
	a.Feeds = collect(p.bench, s.Feeds(p.ctx))
	for _, f := range a.Feeds {
		listed, err := s.Listing(p.ctx, f.Feed.ID)
		p.ok(err)
		a.Listings = append(a.Listings, listed)
		latest, err := s.LatestItems(p.ctx, f.Feed.ID, 3)
		p.ok(err)
		withoutSeq(latest)
		a.Latest = append(a.Latest, latest)
	}
	var err error
	a.NextDue, err = s.NextDue(p.ctx, p.now)
	p.ok(err)
	for _, topic := range append(slices.Clone(poolTopics), aggregator.AllTopics) {
		for _, limit := range []int{0, 3} {
			stories := collect(p.bench, s.Stories(p.ctx, aggregator.StoryQuery{Topic: topic, Limit: limit}))
			for _, story := range stories {
				withoutSeq(story.Items)
			}
			a.Stories[fmt.Sprint(topic, " ", limit)] = stories
		}
		for _, since := range []time.Time{{}, at(10)} {
			items := collect(p.bench, s.Items(p.ctx, aggregator.ItemQuery{Topic: topic, Since: since}))
			if !slices.IsSortedFunc(items, func(x, y aggregator.Item) int { return cmp.Compare(x.Seq, y.Seq) }) {
				p.Fatal("items are not in the order of their Seq")
			}
			withoutSeq(items)
			volume, err := s.Volume(p.ctx, aggregator.VolumeQuery{Topic: topic, Since: since})
			p.ok(err)
			a.Volumes = append(a.Volumes, volume)
			a.Items[fmt.Sprint(topic, " ", since)] = items
		}
	}
	for n := range poolStories {
		story, err := s.Story(p.ctx, poolStory(n))
		if !errors.Is(err, aggregator.ErrNotFound) {
			p.ok(err)
		}
		withoutSeq(story.Items)
		a.ByID = append(a.ByID, story)
	}
	var ids []aggregator.ItemID
	for _, id := range poolFeeds {
		for n := range 2 * poolItems {
			ids = append(ids, itemID(id, fmt.Sprint(n)))
		}
	}
	a.Known, err = s.Resolve(p.ctx, ids)
	p.ok(err)
	for _, id := range ids {
		revisions, err := s.Revisions(p.ctx, id)
		p.ok(err)
		a.Revisions = append(a.Revisions, revisions)
	}
	a.Authority, err = s.Authority(p.ctx, "example.org")
	p.ok(err)
	a.Stats, err = s.Stats(p.ctx)
	p.ok(err)
	// What is on the disk, and which numbers are left out, is the backend's own.
	a.Stats.Bytes, a.Stats.Free, a.Stats.Buckets, a.Stats.LastSeq = 0, 0, nil, 0
	return a
}

// withoutSeq takes the Seqs away: only their order has to be the same.
func withoutSeq(items []aggregator.Item) {
	for i := range items {
		items[i].Seq = 0
	}
}

func (p *pair) compare(what string) {
	p.Helper()
	p.same(what+": what the store says", p.ask(p.store), p.ask(p.model))
}
