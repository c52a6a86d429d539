package storagetest

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/topicwire/topicwire/aggregator"
)

func note(space, key, value string) aggregator.Note {
	n := aggregator.Note{Space: space, Key: key}
	if value != "" {
		n.Value = []byte(value)
	}
	return n
}

func (b *bench) notes(space string) []aggregator.Note {
	b.Helper()
	return collect(b, b.store.Notes(b.ctx, space))
}

func noteCases() []testCase {
	return []testCase{
		{"notes come back by space, in the order of their keys, also after reopening", func(b *bench) {
			b.same("notes of an empty space", b.notes("hub"), []aggregator.Note(nil))
			b.ok(b.store.PutNotes(b.ctx, note("hub", "b", "2"), note("hub", "a\x00", "1"), note("hu", "bx", "other"), note("", "k", "v")))
			want := []aggregator.Note{note("hub", "a\x00", "1"), note("hub", "b", "2")}
			b.same("notes", b.notes("hub"), want)
			b.reopen()
			b.same("notes after reopening", b.notes("hub"), want)
			b.same("notes of another space", b.notes("hu"), []aggregator.Note{note("hu", "bx", "other")})
			b.same("notes of the space without name", b.notes(""), []aggregator.Note{note("", "k", "v")})
		}},
		{"a single note is found by its space and its key", func(b *bench) {
			long := note(strings.Repeat("s", 512), strings.Repeat("k", 512), "long")
			b.ok(b.store.PutNotes(b.ctx, note("s", "k", "1"), note("sk", "x", "2"), note("", "sk", "3"), long))
			for _, want := range []aggregator.Note{note("s", "k", "1"), note("sk", "x", "2"), note("", "sk", "3"), long} {
				got, err := b.store.Note(b.ctx, want.Space, want.Key)
				b.ok(err)
				b.same("note", got, want)
				got.Value[0] = 'X'
			}
			b.reopen()
			got, err := b.store.Note(b.ctx, "s", "k")
			b.ok(err)
			b.same("note after reopening", got, note("s", "k", "1"))
			for _, none := range []aggregator.Note{
				note("s", "", ""), note("s", "k2", ""), note("sk", "k", ""), note("none", "k", ""), note("s", strings.Repeat("k", 600), ""),
			} {
				_, err := b.store.Note(b.ctx, none.Space, none.Key)
				b.is(err, aggregator.ErrNotFound)
			}
			b.ok(b.store.PutNotes(b.ctx, note("s", "k", "")))
			_, err = b.store.Note(b.ctx, "s", "k")
			b.is(err, aggregator.ErrNotFound)
		}},
		{"a note takes the place of the one before, an empty one removes it", func(b *bench) {
			b.ok(b.store.PutNotes(b.ctx, note("s", "a", "1"), note("s", "b", "1")))
			b.ok(b.store.PutNotes(b.ctx, note("s", "a", "2"), note("s", "b", ""), note("s", "none", "")))
			b.same("notes", b.notes("s"), []aggregator.Note{note("s", "a", "2")})
			b.ok(b.store.PutNotes(b.ctx, note("s", "a", "3"), note("s", "a", "4")))
			b.same("notes", b.notes("s"), []aggregator.Note{note("s", "a", "4")})
		}},
		{"notes are stored together or not at all", func(b *bench) {
			for _, bad := range []aggregator.Note{
				note("s", "", "v"), note("s", strings.Repeat("k", 513), "v"), note(strings.Repeat("s", 513), "k", "v"),
			} {
				if err := b.store.PutNotes(b.ctx, note("s", "good", "v"), bad); err == nil {
					b.Errorf("a note with a space of %d and a key of %d bytes was stored", len(bad.Space), len(bad.Key))
				}
			}
			b.same("notes", b.notes("s"), []aggregator.Note(nil))
			longest := note(strings.Repeat("s", 512), strings.Repeat("k", 512), "v")
			b.ok(b.store.PutNotes(b.ctx, longest))
			b.same("notes", b.notes(longest.Space), []aggregator.Note{longest})
		}},
		{"many notes and large ones", func(b *bench) {
			var want []aggregator.Note
			for i := range 3000 {
				want = append(want, note("s", strconv.Itoa(10_000+i), strings.Repeat("v", 1+i%700)))
			}
			want = append(want, note("s", "99999", strings.Repeat("large", 200_000)))
			b.ok(b.store.PutNotes(b.ctx, want...))
			b.same("notes", b.notes("s"), want)
			for range b.store.Notes(b.ctx, "s") {
				break
			}
		}},
		{"notes are copied in and out", func(b *bench) {
			n := note("s", "k", "value")
			b.ok(b.store.PutNotes(b.ctx, n))
			n.Value[0] = 'X'
			b.notes("s")[0].Value[0] = 'Y'
			b.same("notes", b.notes("s"), []aggregator.Note{note("s", "k", "value")})
		}},
		{"notes stay through compacting, checking and backing up", keptNotes},
		{"notes of a closed store and of an ended context are errors", func(b *bench) {
			ctx, cancel := context.WithCancel(b.ctx)
			cancel()
			b.is(b.store.PutNotes(ctx, note("s", "k", "v")), context.Canceled)
			_, err := b.store.Note(ctx, "s", "k")
			b.is(err, context.Canceled)
			for _, err := range b.store.Notes(ctx, "s") {
				b.is(err, context.Canceled)
			}
			b.ok(b.store.Close())
			if b.store.PutNotes(b.ctx, note("s", "k", "v")) == nil {
				b.Error("a closed store stored a note")
			}
			if _, err := b.store.Note(b.ctx, "s", "k"); err == nil || errors.Is(err, aggregator.ErrNotFound) {
				b.Errorf("a closed store looked for a note: %v", err)
			}
			failed := false
			for _, err := range b.store.Notes(b.ctx, "s") {
				failed = err != nil
			}
			if !failed {
				b.Error("a closed store read notes")
			}
		}},
	}
}

func keptNotes(b *bench) {
	b.sync("a")
	b.poll("a", item("a", "1", 1, "cloud"))
	want := []aggregator.Note{note("s", "k", "value")}
	b.ok(b.store.PutNotes(b.ctx, want...))
	_, err := b.store.Compact(b.ctx)
	b.ok(err)
	b.same("notes after compacting", b.notes("s"), want)
	report, err := b.store.Check(b.ctx, true)
	b.ok(err)
	b.same("problems", report.Found, 0)
	var copied bytes.Buffer
	if err := b.store.Backup(b.ctx, &copied); err != nil {
		b.Logf("no backup: %v", err)
		return
	}
	if !bytes.Contains(copied.Bytes(), []byte("value")) {
		b.Error("the backup does not have the note")
	}
}
