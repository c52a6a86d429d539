package publish

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// current is the topic's generation; ok is false where it has none yet.
func (a *Archive) current(ctx context.Context, topic aggregator.TopicID) (g generation, ok bool, err error) {
	a.mu.RLock()
	read := a.generations != nil
	g, ok = a.generations[topic]
	a.mu.RUnlock()
	if !read {
		if err := a.load(ctx); err != nil {
			return g, false, err
		}
		return a.current(ctx, topic)
	}
	return g, ok, nil
}

// renew begins a new generation for each topic that has none for its present rules.
func (a *Archive) renew(ctx context.Context) error {
	o := &a.site.options
	site := aggregator.HashOf(a.site.base, o.Authority).String()
	var begun []generation
	var notes []aggregator.Note
	for _, c := range a.channels() {
		old, there, err := a.current(ctx, c.topic)
		if err != nil {
			return err
		}
		g := generation{Topic: c.topic, Rules: a.options.Rules(c.topic).String(), Site: site, First: 1}
		if there && !old.revoked && old.Rules == g.Rules && old.Site == g.Site {
			continue
		}
		g.Name = generationName(o.Now(), old.Name)
		if there {
			g.Past = append(slices.Clip(old.Past), old.Name)
		}
		n, err := noteOf(g)
		if err != nil {
			return err
		}
		begun, notes = append(begun, g), append(notes, n)
	}
	if len(begun) == 0 {
		return nil
	}
	if err := a.store.PutNotes(ctx, notes...); err != nil {
		return fmt.Errorf("begin archives: %w", err)
	}
	for _, g := range begun {
		delete(a.seen, g.Topic)
		a.keep(g)
	}
	return nil
}

// load reads what is known of the generations, once.
func (a *Archive) load(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.generations != nil {
		return nil
	}
	all := map[aggregator.TopicID]generation{}
	topics := map[string]aggregator.TopicID{}
	for n, err := range a.store.Notes(ctx, archiveSpace) {
		if err != nil {
			return fmt.Errorf("read the archive's notes: %w", err)
		}
		var g generation
		if err := json.Unmarshal(n.Value, &g); err != nil {
			return fmt.Errorf("read the archive's note %q: %w", n.Key, err)
		}
		all[g.Topic], topics[n.Key] = g.stated(), g.Topic
	}
	for _, feed := range a.options.Private {
		for n, err := range a.store.Notes(ctx, namedSpace(feed)) {
			if err != nil {
				return fmt.Errorf("read the archive's notes: %w", err)
			}
			topic, ok := topics[n.Key]
			if g := all[topic]; ok && g.Name == string(n.Value) {
				g.revoked = true
				all[topic] = g
			}
		}
	}
	a.generations = all
	return nil
}

// put stores the generation, with other notes.
func (a *Archive) put(ctx context.Context, g generation, others ...aggregator.Note) error {
	n, err := noteOf(g)
	if err != nil {
		return err
	}
	if err := a.store.PutNotes(ctx, append(others, n)...); err != nil {
		return fmt.Errorf("store pages: %w", err)
	}
	a.keep(g)
	return nil
}

// noteOf is the note that the topic has this generation.
func noteOf(g generation) (aggregator.Note, error) {
	value, err := json.Marshal(g)
	if err != nil {
		return aggregator.Note{}, fmt.Errorf("store the archive's note: %w", err)
	}
	return aggregator.Note{Space: archiveSpace, Key: topicKey(g.Topic), Value: value}, nil
}

// keep makes the generation the one that readers see.
func (a *Archive) keep(g generation) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.generations[g.Topic] = g.stated()
}

func (g generation) stated() generation {
	g.state = g.Name + "/" + strconv.Itoa(g.Last)
	return g
}

// forget removes from the store what it has of earlier generations.
func (a *Archive) forget(ctx context.Context, g generation) (generation, error) {
	for _, name := range g.Past {
		past := generation{Topic: g.Topic, Name: name}
		for {
			var some []aggregator.Note
			for n, err := range a.store.Notes(ctx, past.space()) {
				if err != nil {
					return g, fmt.Errorf("read an earlier generation: %w", err)
				}
				n.Value = nil
				if some = append(some, n); len(some) == removedTogether {
					break
				}
			}
			if len(some) == 0 {
				break
			}
			if err := a.store.PutNotes(ctx, some...); err != nil {
				return g, fmt.Errorf("remove an earlier generation: %w", err)
			}
		}
	}
	if len(g.Past) == 0 {
		return g, nil
	}
	g.Past = nil
	return g, a.put(ctx, g)
}

// removedTogether is how many notes are removed in one go: others write to the store too.
const removedTogether = 500

// The notes of the archive are in these spaces: what each topic's generation is, by topicKey; of each generation its
// pages, by pageKey, and the number of the page of each story, by storyKey; and for each feed whose URL is in a page the
// generations in which that is, by topicKey. Names of topics and feeds are hashed, since a space has a greatest length.
const archiveSpace = "archive"

func (g *generation) space() string {
	return archiveSpace + "/pages/" + topicKey(g.Topic) + "/" + g.Name
}

func namedSpace(feed aggregator.FeedID) string {
	return archiveSpace + "/named/" + aggregator.HashOf(string(feed)).String()
}

func topicKey(topic aggregator.TopicID) string { return aggregator.HashOf(string(topic)).String() }

func pageKey(number int) string { return fmt.Sprintf("page %010d", number) }

func storyKey(story aggregator.StoryID) string { return "story " + string(story[:]) }

// generationForm is the form of the names of generations.
const generationForm = "20060102T150405Z"

// generationName names a generation that begins now, after the one with the name before; that is "" for the first.
func generationName(now time.Time, before string) string {
	name := now.UTC().Format(generationForm)
	if last, err := time.Parse(generationForm, before); err == nil && name <= before {
		name = last.Add(time.Second).Format(generationForm)
	}
	return name
}

// Unsettle is to be called before the stored items are filed anew, and Settle when that is done. Topics whose rules have
// changed get a new generation of pages in any case where it is stopped between the two.
func (a *Archive) Unsettle(ctx context.Context) error {
	done, err := a.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	a.unsettled = map[aggregator.TopicID]bool{}
	var notes []aggregator.Note
	var changed []generation
	for _, g := range a.all() {
		if g.Rules == "" || g.Rules == a.options.Rules(g.Topic).String() {
			continue
		}
		g.Rules = ""
		n, err := noteOf(g)
		if err != nil {
			return err
		}
		notes, changed = append(notes, n), append(changed, g)
	}
	if err := a.store.PutNotes(ctx, notes...); err != nil {
		return fmt.Errorf("note that topics are filed anew: %w", err)
	}
	for _, g := range changed {
		a.unsettled[g.Topic] = true
		a.keep(g)
	}
	return nil
}

// Settle says which topics have the same items as before Unsettle: those keep their pages, though their rules have
// changed. All items must have been filed anew between the two.
func (a *Archive) Settle(ctx context.Context, same func(aggregator.TopicID) bool) error {
	done, err := a.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	for topic := range a.unsettled {
		if !same(topic) {
			continue
		}
		g, _, err := a.current(ctx, topic)
		if err != nil {
			return err
		}
		g.Rules = a.options.Rules(topic).String()
		if err := a.put(ctx, g); err != nil {
			return err
		}
	}
	a.unsettled = nil
	return nil
}

// Remove takes all pages out of the store. An archive that is made again has new ones under other addresses.
func (a *Archive) Remove(ctx context.Context) error {
	done, err := a.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	for _, g := range a.all() {
		if err := a.drop(ctx, g); err != nil {
			return err
		}
	}
	return nil
}

// drop takes the pages of the generation's topic out of the store.
func (a *Archive) drop(ctx context.Context, g generation) error {
	if g.Last == 0 && g.Rules == "" && len(g.Past) == 0 {
		return nil
	}
	g.Past = append(slices.Clip(g.Past), g.Name)
	g.Rules, g.First, g.Last, g.Cursor, g.Pending, g.Bytes = "", 1, 0, 0, nil, 0
	if err := a.put(ctx, g); err != nil {
		return err
	}
	_, err := a.forget(ctx, g)
	return err
}

// dropRemoved takes the pages of topics that are no longer published out of the store.
func (a *Archive) dropRemoved(ctx context.Context) error {
	for _, g := range a.all() {
		if _, published := a.site.channels[g.Topic]; published {
			continue
		}
		if err := a.drop(ctx, g); err != nil {
			return fmt.Errorf("remove the archive of topic %q, which is no longer published: %w", g.Topic, err)
		}
	}
	return nil
}

// all are the latest generations of all topics that ever had one.
func (a *Archive) all() []generation {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Collect(maps.Values(a.generations))
}
