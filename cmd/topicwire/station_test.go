package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator/publish"
	"github.com/topicwire/topicwire/storage/memory"
)

func TestAuthority(t *testing.T) {
	now := time.Date(2026, 11, 23, 23, 30, 0, 0, time.FixedZone("", -3600))
	const random = "w00000000000000ff.invalid,2026-11-24"
	for baseURL, want := range map[string]string{
		"https://wire.example.org":                         "wire.example.org,2026-11-24",
		"https://Wire.Example.ORG:8443/x":                  "wire.example.org,2026-11-24",
		"https://wire.example.org.":                        "wire.example.org,2026-11-24",
		"https://xn--bcher-kva.example":                    "xn--bcher-kva.example,2026-11-24",
		"http://127.0.0.1:8080":                            random,
		"http://localhost:8080":                            random,
		"http://wire.localhost":                            random,
		"http://[::1]:8080":                                random,
		"http://intranet":                                  random,
		"http://my_host.example":                           random,
		"https://b\u00fccher.example":                      random,
		"http://-.example":                                 random,
		"https://" + strings.Repeat("a.", 130) + "example": random,
	} {
		got := authorityFor(baseURL, now, 255)
		if got != want {
			t.Errorf("authorityFor(%q) = %q, want %q", baseURL, got, want)
		}
		if _, err := publish.New(memory.New(nil), publish.Options{BaseURL: "https://wire.example.org", Authority: got}); err != nil {
			t.Errorf("what authorityFor(%q) gives cannot be published: %v", baseURL, err)
		}
	}
}

func TestControlSocketPaths(t *testing.T) {
	dir := t.TempDir()
	short, err := listenControl(filepath.Join(dir, "w.db.sock"))
	if err != nil {
		t.Fatal(err)
	}
	short.Close()
	for _, path := range []string{
		filepath.Join(dir, strings.Repeat("x", maxSocketPath)),
		// The name that the socket has at first is longer than its last one.
		strings.Repeat("/x", (maxSocketPath-len("/w.sock"))/2) + "/w.sock",
	} {
		if _, err := listenControl(path); err == nil || !strings.Contains(err.Error(), "longer than") {
			t.Errorf("listenControl(%q): %v, want an error about its length", path, err)
		}
	}
}
