package storage_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/storage"
)

func TestOpenByURL(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, url := range []string{"bolt://" + filepath.Join(dir, "a b%20?.db"), "bolt://relative.db"} {
		s, err := storage.Open(t.Context(), url, storage.Options{})
		if err != nil {
			t.Fatal(err)
		}
		name, err := s.Authority(t.Context(), url)
		if err := errors.Join(err, s.Close()); err != nil || name != url {
			t.Errorf("%s: authority %q, %v", url, name, err)
		}
	}
	for _, name := range []string{"a b%20?.db", "relative.db"} {
		if found, _ := filepath.Glob(strings.ReplaceAll(name, "?", "[?]")); len(found) != 1 {
			t.Errorf("there is no file %q", name)
		}
	}
}

func TestOpenRefusesURL(t *testing.T) {
	for _, c := range []struct{ name, url, says string }{
		{"empty", "", "bolt:///"},
		{"a path", "/var/lib/wire.db", "bolt:///"},
		{"no path", "bolt://", "bolt:///"},
		{"another backend", "mysql://user:secret@host/db", `"mysql"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := storage.Open(t.Context(), c.url, storage.Options{})
			if err == nil {
				t.Fatal(errors.Join(errors.New("it opened"), s.Close()))
			}
			if !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "secret") {
				t.Errorf("error = %v, want it to say %s and no secret", err, c.says)
			}
		})
	}
}

func TestOpenTwiceIsBusy(t *testing.T) {
	url := "bolt://" + filepath.Join(t.TempDir(), "wire.db")
	s, err := storage.Open(t.Context(), url, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, err = storage.Open(t.Context(), url, storage.Options{Timeout: time.Millisecond})
	if !errors.Is(err, aggregator.ErrStoreBusy) {
		t.Errorf("error = %v, want %v", err, aggregator.ErrStoreBusy)
	}
}

func TestOpenWithEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := storage.Open(ctx, "bolt://"+filepath.Join(t.TempDir(), "wire.db"), storage.Options{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want %v", err, context.Canceled)
	}
}
