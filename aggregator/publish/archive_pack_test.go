package publish_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/publish"
)

// Whatever a document holds, it comes back byte for byte; and what is read of a store does no harm, whatever it is.
func FuzzPackedPages(f *testing.F) {
	for i := range hostile {
		f.Add(hostile[i], hostile[(i+7)%len(hostile)], hostile[(i+31)%len(hostile)])
	}
	f.Add("\x01\x02", "\x03<&lt;>", `\\" \n\u0001 "`)
	f.Add("&amp;lt;&#xA;&#39;\x06", "", "\x05\n")
	f.Fuzz(func(t *testing.T, atom, rss, json string) {
		stories := []aggregator.StoryID{{1}, {2}}
		packed, err := publish.PackPage(stories, []byte(atom), []byte(rss), []byte(json))
		if err != nil {
			t.Fatal(err)
		}
		got, documents, err := publish.UnpackPage(packed)
		if err != nil || !slices.Equal(got, stories) || string(documents[0]) != atom || string(documents[1]) != rss || string(documents[2]) != json {
			t.Errorf("%q, %q and %q come back as %q, %v", atom, rss, json, documents, err)
		}
		_, _, _ = publish.UnpackPage([]byte(atom))
		_, _, _ = publish.UnpackPage(append(packed[:3:3], json...))
	})
}

// The three documents of a page say the same, and take little more room than one of them.
func TestThreeDocumentsTakeLittleMoreRoomThanOne(t *testing.T) {
	w := newWire(t)
	w.pageStories = 40
	w.restart()
	for i := range 40 {
		it := reported("a", hostile[i%7]+strings.Repeat("x", i), strings.Repeat("y", i+1), i)
		var text strings.Builder
		for n := range 200 {
			text.WriteString("<b title=\"" + aggregator.HashOf(it.GUID, strings.Repeat("z", n)).String() + "\">&amp;</b>\n")
		}
		it.Content = text.String()
		w.commit(it)
	}
	w.once()
	_, body, _ := w.get("/all.atom")
	stem := strings.TrimSuffix(readPage(t, "/all.atom", body).previous, ".atom")
	var documents [3][]byte
	for i, ext := range []string{".atom", ".rss", ".json"} {
		_, documents[i], _ = w.get(stem + ext)
	}
	size := func(of ...[]byte) int {
		packed, err := publish.PackPage(nil, of[0], of[1], of[2])
		if err != nil {
			t.Fatal(err)
		}
		return len(packed)
	}
	one, all := size(documents[0], nil, nil), size(documents[0], documents[1], documents[2])
	if all > one+one/4 || bytes.Equal(documents[0], documents[1]) {
		t.Errorf("three documents take %d bytes, one of them %d", all, one)
	}
}
