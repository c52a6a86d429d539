package bolt_test

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/storage/bolt"
)

// The tests of this file run the test binary again as a child; the environment tells it which store to use.
const childStore = "TOPICWIRE_TEST_CHILD_STORE"

func child(t *testing.T, test, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(os.Environ(), childStore+"="+path)
	return cmd
}

var kills = flag.Int("kills", 8, "how often the tests of crashes kill a process")

const (
	crashFeeds = 8
	crashItems = 5 // in each poll
	// killsAStore is after how many kills there is another store: all of it is checked after each.
	killsAStore = 25
)

// Whatever was acknowledged before a kill -9 is there, and each poll is there with its validators or not at all.
func TestKilledAtAnyMoment(t *testing.T) {
	if path := os.Getenv(childStore); path != "" {
		commitUntilKilled(t, path)
		return
	}
	var path string
	var acknowledged map[aggregator.FeedID]int
	rnd := rand.New(rand.NewPCG(1, 2))
	for round := range *kills {
		if round%killsAStore == 0 {
			path, acknowledged = filepath.Join(t.TempDir(), "wire.db"), make(map[aggregator.FeedID]int)
			s := open(t, path)
			ok(t, s.SyncFeeds(t.Context(), manyFeeds(crashFeeds), dueAtStart))
			ok(t, s.Close())
			t.Logf("%d kills", round)
		}
		killAfter(t, child(t, t.Name(), path), 1+rnd.IntN(120), acknowledged)
		if !checkWhole(t, path, acknowledged) {
			t.Fatalf("after kill %d", round)
		}
	}
}

// commitUntilKilled polls all feeds in turn, at once, and prints each poll that is acknowledged. The n-th poll of a feed
// brings the ETag n and items of its own.
func commitUntilKilled(t *testing.T, path string) {
	s := openSmall(t, path)
	var out sync.Mutex
	var wg sync.WaitGroup
	for range crashFeeds {
		wg.Go(func() {
			for {
				// There are as many feeds as pollers, so that each finds one.
				leases := claim(t, s, start, 1)
				if len(leases) != 1 {
					t.Errorf("claim: %d leases", len(leases))
					return
				}
				l := leases[0]
				n, _ := strconv.Atoi(l.State.Validators.ETag)
				l.State.Validators.ETag = fmt.Sprint(n + 1)
				var items []aggregator.Item
				for i := range crashItems {
					items = append(items, newItem(l.Feed, n*crashItems+i, 3000))
				}
				if err := commit(t, s, l, items...); err != nil {
					t.Errorf("commit: %v", err)
					return
				}
				out.Lock()
				fmt.Printf("acknowledged %s %d\n", l.Feed, n+1)
				out.Unlock()
			}
		})
	}
	wg.Wait()
}

// killAfter kills the child after so many acknowledged polls and notes them, with those that it printed before it died.
func killAfter(t *testing.T, cmd *exec.Cmd, polls int, acknowledged map[aggregator.FeedID]int) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	ok(t, err)
	ok(t, cmd.Start())
	seen := 0
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		text, found := strings.CutPrefix(lines.Text(), "acknowledged ")
		if !found {
			continue
		}
		id, number, _ := strings.Cut(text, " ")
		n, err := strconv.Atoi(number)
		if err != nil {
			break // The line was cut off by the kill.
		}
		acknowledged[aggregator.FeedID(id)] = max(acknowledged[aggregator.FeedID(id)], n)
		if seen++; seen == polls {
			ok(t, cmd.Process.Kill())
		}
	}
	if err := cmd.Wait(); err == nil || seen < polls {
		t.Fatalf("the child ended by itself after %d polls: %v", seen, err)
	}
}

func checkWhole(t *testing.T, path string, acknowledged map[aggregator.FeedID]int) bool {
	t.Helper()
	if _, err := bolt.Verify(t.Context(), path); err != nil {
		t.Error(err)
	}
	s := open(t, path)
	defer s.Close()
	found := make(map[aggregator.FeedID]int)
	for it, err := range s.Items(t.Context(), aggregator.ItemQuery{}) {
		ok(t, err)
		found[it.Feed]++
	}
	total := 0
	for status, err := range s.Feeds(t.Context()) {
		ok(t, err)
		id := status.Feed.ID
		polls, _ := strconv.Atoi(status.State.Validators.ETag)
		if polls < acknowledged[id] {
			t.Errorf("feed %s: %d polls are stored, %d were acknowledged", id, polls, acknowledged[id])
		}
		if found[id] != polls*crashItems || status.State.Items != found[id] {
			t.Errorf("feed %s: %d items (%d by its state) of %d polls", id, found[id], status.State.Items, polls)
		}
		total += found[id]
	}
	stories := 0
	for _, err := range s.Stories(t.Context(), aggregator.StoryQuery{Topic: "cloud"}) {
		ok(t, err)
		stories++
	}
	if stories != total {
		t.Errorf("%d stories are listed, want %d", stories, total)
	}
	return !t.Failed()
}

// Whenever a process dies that compacts, prunes and refiles, the store is whole, and has what it had.
func TestKilledDuringMaintenance(t *testing.T) {
	if path := os.Getenv(childStore); path != "" {
		s := open(t, path)
		fmt.Println("acknowledged feed-0000000 1")
		for n := 0; ; n++ {
			_, err := s.Compact(t.Context())
			ok(t, err)
			_, err = s.Refile(t.Context(), aggregator.HashOf(fmt.Sprint(os.Getpid(), n)), func(it aggregator.Item) []aggregator.TopicID {
				return []aggregator.TopicID{aggregator.TopicID(fmt.Sprint("topic-", n%3))}
			})
			ok(t, err)
			_, err = s.Prune(t.Context(), aggregator.Retention{General: aggregator.Keep{Age: 13 * time.Minute}}, start.Add(20*time.Minute))
			ok(t, err)
			fmt.Println("acknowledged feed-0000000", n+2)
		}
	}
	path := filepath.Join(t.TempDir(), "wire.db")
	filled(t, path)
	rnd := rand.New(rand.NewPCG(3, 4))
	for round := range *kills {
		cmd := child(t, t.Name(), path)
		out, err := cmd.StdoutPipe()
		ok(t, err)
		ok(t, cmd.Start())
		lines := bufio.NewScanner(out)
		for lines.Scan() && !strings.HasPrefix(lines.Text(), "acknowledged") {
		}
		// A kill at any instant has to come at a time of its own choosing; how long that is does not matter to the outcome.
		timer := time.AfterFunc(time.Duration(rnd.IntN(60_000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
		for lines.Scan() {
		}
		timer.Stop()
		_ = cmd.Wait()
		report, err := bolt.Verify(t.Context(), path)
		if err != nil || report.Items > 400 || report.Items < 20*13 {
			t.Fatalf("after kill %d: %+v, %v", round, report, err)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	ok(t, err)
	ok(t, open(t, path).Close())
	left, err := os.ReadDir(filepath.Dir(path))
	ok(t, err)
	if len(left) != 1 {
		t.Errorf("the folder has %v, and after opening the store %v", entries, left)
	}
}

// holdWriting lets nobody write before the function that it gives is called.
func holdWriting(t *testing.T, s *bolt.Store) (release func()) {
	t.Helper()
	gate := make(chan struct{})
	go func() {
		_, err := s.Refile(t.Context(), aggregator.HashOf("any"), func(it aggregator.Item) []aggregator.TopicID {
			<-gate
			return it.Topics
		})
		if err != nil {
			t.Errorf("refile: %v", err)
		}
	}()
	synctest.Wait()
	return func() { close(gate) }
}

// sound checks the file's pages.
func sound(t *testing.T, path string) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	ok(t, err)
	defer db.Close()
	ok(t, db.View(func(tx *bbolt.Tx) error {
		var found []error
		for err := range tx.Check() {
			found = append(found, err)
		}
		return errors.Join(found...)
	}))
}

// A full disk fails the polls that find no room, and only those; when there is room again they can be stored.
func TestFullDisk(t *testing.T) {
	if path := os.Getenv(childStore); path != "" {
		fillDisk(t, path)
		return
	}
	path := filepath.Join(t.TempDir(), "wire.db")
	if out, err := child(t, t.Name(), path).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	sound(t, path)
}

// fillDisk runs in a process of its own because it limits the size of the files that the process may write.
func fillDisk(t *testing.T, path string) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, path)
		defer s.Close()
		ok(t, s.SyncFeeds(t.Context(), manyFeeds(3), dueAtStart))
		leases := claimAll(t, s)
		// The file begins with 16 MiB: leave room for some pages, but not for the 7 MiB of the big poll, which is small
		// enough to share a transaction.
		var items []aggregator.Item
		for n := range 220 {
			items = append(items, noisy(leases[0].Feed, n, 50_000))
		}
		ok(t, commit(t, s, leases[0], items...))
		info, err := os.Stat(path)
		ok(t, err)
		var room syscall.Rlimit
		ok(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &room))
		full := syscall.Rlimit{Cur: uint64(info.Size()), Max: room.Max}
		ok(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full))
		big, small := leases[1], leases[2]
		big.State.Validators.ETag, small.State.Validators.ETag = "big", "small"
		release := holdWriting(t, s)
		go func() {
			err := commit(t, s, big, noisy(big.Feed, 0, 7<<20))
			if err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("commit on a full disk: error = %v, want one that names the file", err)
			}
		}()
		synctest.Wait()
		go func() {
			if err := commit(t, s, small, newItem(small.Feed, 0, 100)); err != nil {
				t.Errorf("commit of a poll that there is room for: %v", err)
			}
		}()
		synctest.Wait()
		release()
		synctest.Wait()
		expectETag(t, s, big.Feed, "")
		expectETag(t, s, small.Feed, "small")
		ok(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &room))
		ok(t, commit(t, s, big, noisy(big.Feed, 0, 7<<20)))
		expectETag(t, s, big.Feed, "big")
		if n, err := readAll(t, s); n != 222 || err != nil {
			t.Errorf("%d items, %v; want 222", n, err)
		}
	})
}

func expectETag(t *testing.T, s *bolt.Store, id aggregator.FeedID, want string) {
	t.Helper()
	status, err := s.Feed(t.Context(), id)
	ok(t, err)
	if got := status.State.Validators.ETag; got != want {
		t.Errorf("feed %s: ETag %q, want %q", id, got, want)
	}
}
