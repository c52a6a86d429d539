package poll

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/story"
)

// arrivals are the publishers' dates of the items that are new, zero where they are not known.
func arrivals(items []aggregator.Item, stored map[aggregator.ItemID]aggregator.Item) []time.Time {
	var dates []time.Time
	for _, it := range items {
		if _, old := stored[it.ID]; old {
			continue
		}
		date := it.Published
		if it.DateSource != aggregator.DateFromFeed {
			date = time.Time{}
		}
		dates = append(dates, date)
	}
	return dates
}

// maxJoined bounds a listing that differences are added to: what falls out of it is read again.
const maxJoined = 2000

// joined is what to remember after a difference to a document: what it lists and what that had.
func joined(fresh, before []aggregator.ListedItem) []aggregator.ListedItem {
	all := slices.Concat(fresh, before)
	seen := make(map[aggregator.Hash]bool, len(all))
	all = slices.DeleteFunc(all, func(l aggregator.ListedItem) bool {
		repeated := seen[l.Bytes]
		seen[l.Bytes] = true
		return repeated
	})
	return all[:min(len(all), maxJoined)]
}

// withoutEarlier is a listing without the earlier states of items that were read now: a publisher that goes back to one of
// them is to be believed.
func withoutEarlier(before, read []aggregator.ListedItem) []aggregator.ListedItem {
	none := aggregator.HashOf("")
	key := func(l aggregator.ListedItem) [2]aggregator.Hash {
		if l.GUID != none {
			return [2]aggregator.Hash{l.GUID}
		}
		return [2]aggregator.Hash{none, l.Link}
	}
	again := make(map[[2]aggregator.Hash]bool, len(read))
	for _, l := range read {
		again[key(l)] = true
	}
	return slices.DeleteFunc(slices.Clone(before), func(l aggregator.ListedItem) bool { return again[key(l)] })
}

// listing is what to remember of a document: nothing where its items could not be told apart in its bytes.
func listing(unread, read []aggregator.ListedItem, hashes []aggregator.Hash) []aggregator.ListedItem {
	if len(hashes) != len(read) {
		return nil
	}
	all := slices.Clone(unread)
	for i, l := range read {
		l.Bytes = hashes[i]
		all = append(all, l)
	}
	return all
}

// recognise finds out which of the document's items the store has.
func (p *Poller) recognise(ctx context.Context, j *job, batch *story.Batch, at time.Time) (sighting, error) {
	answers, err := p.Store.Resolve(ctx, batch.Lookups())
	if err != nil {
		return sighting{}, fmt.Errorf("look up stored items: %w", err)
	}
	s := sighting{
		feed:      j.status.Feed,
		previous:  j.status.State,
		at:        at,
		stored:    make(map[aggregator.ItemID]aggregator.Item),
		earlier:   make(map[aggregator.ItemID][]aggregator.Hash),
		unchanged: make(map[aggregator.ItemID]bool),
	}
	for i, known := range batch.Resolve(answers) {
		it := &batch.Items[i]
		switch {
		case !known.Found:
		case known.Hash == it.Hash:
			s.unchanged[it.ID] = true
		default:
			stored, err := p.Store.Item(ctx, it.ID)
			switch {
			case errors.Is(err, aggregator.ErrNotFound):
				// It was pruned, and the feed still lists it.
				s.unchanged[it.ID] = true
			case err != nil:
				return sighting{}, fmt.Errorf("read stored item %s: %w", it.ID, err)
			default:
				s.stored[it.ID] = stored
				if s.earlier[it.ID], err = p.earlierTexts(ctx, &stored, it); err != nil {
					return sighting{}, err
				}
			}
		}
	}
	s.items = batch.Items
	return s, nil
}

// earlierTexts are the hashes of the texts that a stored item had, where its text has changed now. A noisy item has too many.
func (p *Poller) earlierTexts(ctx context.Context, stored, it *aggregator.Item) ([]aggregator.Hash, error) {
	if p.Archive == nil || stored.TextHash == it.TextHash || stored.Revision < 2 || stored.Noisy() {
		return nil, nil
	}
	texts, err := p.Archive.Revisions(ctx, stored.ID)
	if err != nil {
		return nil, fmt.Errorf("read the earlier texts of item %s: %w", stored.ID, err)
	}
	hashes := make([]aggregator.Hash, 0, len(texts))
	for _, r := range texts {
		hashes = append(hashes, story.TextHash(&aggregator.Item{Title: r.Title, Summary: r.Summary, Content: r.Content}))
	}
	return hashes, nil
}

// Topics are what an item is filed under: the topics that match it and those that its feed forces, sorted.
func Topics(matching Classifier, forced []aggregator.TopicID, it *aggregator.Item) []aggregator.TopicID {
	topics := append(matching.Match(it), forced...)
	slices.Sort(topics)
	return slices.Compact(topics)
}
