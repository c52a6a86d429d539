package main_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// smallDisk is a folder on a disk of its own of a few MiB. fill leaves no room on it, free gives the room back.
func smallDisk(t testing.TB) (dir string, fill, free func()) {
	t.Helper()
	dir = workdir(t, "")
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=8m"); err != nil {
		t.Skipf("SKIPPED: this user may not mount a small disk: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	ballast := filepath.Join(dir, "ballast")
	fill = func() {
		f, err := os.Create(ballast)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for size := 1 << 20; size > 0; {
			if _, err := f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
				size /= 4
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}
	free = func() {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	}
	return dir, fill, free
}

// eventually waits until done reports true, for at most two minutes.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// TestDaemonGoesOnWhenTheDiskHasRoomAgain fills the daemon's disk while a publisher answers. The daemon keeps the answer and
// asks nobody for more, serves what it has, and stores the answer once there is room, without a restart.
func TestDaemonGoesOnWhenTheDiskHasRoomAgain(t *testing.T) {
	noise := make([]byte, 100_000)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(noise)
	large := base64.StdEncoding.EncodeToString(noise)
	var served atomic.Int32
	asked, full := make(chan struct{}), make(chan struct{})
	origin := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := "small"
		if r.URL.Path == "/late" && served.Add(1) == 1 {
			close(asked)
			<-full
		}
		if r.URL.Path == "/late" {
			text = large
		}
		fmt.Fprintf(w, `<rss version="2.0"><channel><title>x</title><item><guid>1</guid><title>%s</title><description>%s</description></item></channel></rss>`, r.URL.Path, text)
	}))
	dir, fill, free := smallDisk(t)
	writeFile(t, filepath.Join(dir, "config.yaml"), "listen: 127.0.0.1:0\nfetch: {allow_private: true, host_delay: 0s}\nschedule: \"@yearly\"\n"+
		feedConfig(origin.URL, "early", "late"))
	d := start(t, dir, "run")
	select {
	case <-asked:
	case <-time.After(time.Minute):
		t.Fatal("nobody was asked")
	}
	eventually(t, "the first feed is stored", func() bool { return listFeeds(t, dir)["early"].Items == 1 })
	fill()
	close(full)
	const waits = "the store has failed; polling goes on when it works again"
	eventually(t, "the answer waits for the store", func() bool {
		r := topicwire(t, dir, "fetch")
		return r.code == 1 && strings.Contains(r.stderr, waits)
	})
	if feed := get(t, d.url+"/all.atom"); !strings.Contains(feed, "/early") {
		t.Errorf("what is stored is not served: %s", feed)
	}
	if r := topicwire(t, dir, "fetch", "--all"); r.code != 1 || !strings.Contains(r.stderr, "no space left") && !strings.Contains(r.stderr, waits) {
		t.Errorf("a pass on a full disk: exit code %d, %s", r.code, r.stderr)
	}
	free()
	eventually(t, "the answer is stored", func() bool { return listFeeds(t, dir)["late"].Items == 1 })
	if n := served.Load(); n != 1 {
		t.Errorf("the publisher was asked %d times for what could not be kept, want once", n)
	}
	must(t, dir, "fetch", "--all")
	if n := served.Load(); n != 2 {
		t.Errorf("polling does not go on: %d requests", n)
	}
	d.stop(t)
	if !strings.Contains(d.log.String(), "no space left on device") {
		t.Errorf("the log does not say why:\n%s", d.log)
	}
	if out := must(t, dir, "store", "check"); !strings.Contains(out, "2 items checked, 0 problems") {
		t.Errorf("the store is damaged: %s", out)
	}
}
