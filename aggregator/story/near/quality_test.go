package near_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/parse"
	"github.com/topicwire/topicwire/aggregator/story/near"
)

// misses shows the single pairs that come out wrong, of the half that thresholds are set on alone: who looks at those of
// the other half has spoilt it.
var misses = flag.Bool("misses", false, "show the pairs of the tuning half that come out wrong")

// What the reported half has to reach.
const (
	leastPrecision = 0.99
	leastRecall    = 0.95
)

func readFeed(t testing.TB, file string) []aggregator.Item {
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := parse.Parse(body, parse.Source{URL: "http://feed.example/" + filepath.Base(file), Seen: found})
	if err != nil {
		return nil // not all captures are feeds
	}
	return doc.Items
}

// TestPairs asks of every pair of items whether it is one story, by way of an index as a stream of items is.
func TestPairs(t *testing.T) {
	all := written(t)
	for _, name := range []string{"tuning", "reported"} {
		t.Run(name, func(t *testing.T) { judge(t, split(t, all, name), name) })
	}
}

// TestPairsOfCapturedFeeds does that with what publishers really wrote.
func TestPairsOfCapturedFeeds(t *testing.T) {
	folder := os.Getenv("TOPICWIRE_FEEDS")
	if folder == "" {
		t.Skip("NOT TESTED on real items: set TOPICWIRE_FEEDS to a folder of captured feeds")
	}
	all := append(captured(t, folder), written(t)...)
	for _, name := range []string{"tuning", "reported"} {
		t.Run(name, func(t *testing.T) { judge(t, split(t, all, name), name) })
	}
}

func judge(t *testing.T, items []labelled, name string) {
	texts := make([]*near.Text, len(items))
	byFeed := map[aggregator.FeedID][]int{}
	for i := range items {
		texts[i] = near.Read(&items[i].item)
		byFeed[items[i].item.Feed] = append(byFeed[items[i].item.Feed], i)
	}
	side := func(i int) *near.Side {
		it := &items[i].item
		var siblings []*near.Text
		for _, other := range byFeed[it.Feed] {
			if len(siblings) < near.Siblings && other != i {
				siblings = append(siblings, texts[other])
			}
		}
		return near.NewSide(texts[i], it.Feed, it.FirstSeen, siblings)
	}
	x := near.NewIndex(len(items))
	serials := map[near.Serial]int{}
	var right, wrong, missed, pairs int
	missedBy := map[string]int{}
	for i := range items {
		sketch, comparable := near.SketchOf(&items[i].item)
		if comparable != texts[i].Comparable() {
			t.Errorf("%s can be compared: %t", items[i].report, comparable)
		}
		same := map[int]bool{}
		for _, c := range x.Candidates(&sketch, found, 0) {
			j := serials[c.Serial]
			v := near.Compare(side(i), side(j))
			if back := near.Compare(side(j), side(i)); back.Same != v.Same || back.Reason != v.Reason {
				t.Errorf("not symmetric: %+v, %+v", v, back)
			}
			if !v.Same {
				if *misses && name == "tuning" && items[i].report == items[j].report {
					t.Logf("missed: %s, %s/%s %+v", items[i].report, items[i].kind, items[j].kind, v)
				}
				continue
			}
			same[j] = true
			if items[j].report != items[i].report {
				wrong++
				if *misses && name == "tuning" {
					t.Logf("wrong: %s (%s), %s (%s) %+v", items[i].report, items[i].kind, items[j].report, items[j].kind, v)
				}
			}
		}
		for j := range i {
			pairs++
			switch {
			case items[i].report != items[j].report:
			case same[j]:
				right++
			default:
				missed++
				missedBy[items[i].kind+" | "+items[j].kind]++
			}
		}
		serials[x.Add(near.Entry{Item: items[i].item.ID, Feed: items[i].item.Feed, Found: found, Sketch: sketch})] = i
	}
	precision, recall := float64(right)/float64(max(1, right+wrong)), float64(right)/float64(max(1, right+missed))
	t.Logf("%d items, %d pairs, %d of one story: precision %.4f, recall %.4f", len(items), pairs, right+missed, precision, recall)
	if name == "tuning" {
		if *misses {
			t.Log(missedBy)
		}
		return
	}
	if precision < leastPrecision || recall < leastRecall {
		t.Errorf("want a precision of %.2f and a recall of %.2f", leastPrecision, leastRecall)
	}
}
