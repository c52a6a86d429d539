package main_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// binary is the program under test, built once for all of them.
var binary string

func TestMain(m *testing.M) {
	if playRole() {
		return
	}
	os.Exit(withBinary(m.Run))
}

// withBinary calls run with the program built, for as long as that takes.
func withBinary(run func() int) int {
	dir, err := os.MkdirTemp("", "topicwire")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "topicwire")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return run()
}

// capturedFeeds is the folder of feeds as real publishers served them. It lies beside the checkout.
func capturedFeeds(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("TOPICWIRE_FEEDS")
	if dir == "" {
		dir = "../../../shared/feeds"
	}
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the captured feeds are missing: %v", err)
		}
		t.Skipf("SKIPPED: no captured feeds beside the checkout; set TOPICWIRE_FEEDS to a folder of feeds (%v)", err)
	}
	return dir
}

// workdir makes a folder with the given config in it.
func workdir(t testing.TB, config string) string {
	t.Helper()
	// A socket's path may have hardly more than 100 bytes, and t.TempDir is made of the test's name.
	dir, err := os.MkdirTemp("", "tw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	writeFile(t, filepath.Join(dir, "config.yaml"), config)
	return dir
}

func writeFile(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// result is what a command printed and how it ended.
type result struct {
	stdout, stderr string
	code           int
}

// topicwire runs the program in dir to its end.
func topicwire(t testing.TB, dir string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("topicwire %s: %v", strings.Join(args, " "), err)
	}
	if ctx.Err() != nil {
		t.Fatalf("topicwire %s did not end\n%s", strings.Join(args, " "), stderr.String())
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// must runs the program and fails the test unless it exits with 0.
func must(t testing.TB, dir string, args ...string) string {
	t.Helper()
	r := topicwire(t, dir, args...)
	if r.code != 0 {
		t.Fatalf("topicwire %s: exit code %d\n%s%s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
	return r.stdout
}

// daemon is a running 'run' or 'serve'.
type daemon struct {
	// url is where it serves, without a slash at the end.
	url string
	cmd *exec.Cmd
	// ended is closed when the process has ended; log is what it printed, complete by then.
	ended chan struct{}
	log   *bytes.Buffer
}

var servingAt = regexp.MustCompile(`msg=serving address=(http://[^/]+)/`)

// start starts a daemon and waits until it serves. The config must listen on 127.0.0.1:0.
func start(t testing.TB, dir string, args ...string) *daemon {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Dir = dir
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d := &daemon{cmd: cmd, ended: make(chan struct{}), log: new(bytes.Buffer)}
	serving := make(chan string, 1)
	go func() {
		defer close(d.ended)
		for lines := bufio.NewReader(stderr); ; {
			line, err := lines.ReadString('\n')
			d.log.WriteString(line)
			if m := servingAt.FindStringSubmatch(line); m != nil {
				serving <- m[1]
			}
			if err != nil {
				break
			}
		}
		_ = cmd.Wait() // how it ended is in cmd.ProcessState
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-d.ended
	})
	select {
	case d.url = <-serving:
	case <-d.ended:
		t.Fatalf("topicwire %s ended at once\n%s", strings.Join(args, " "), d.log)
	case <-time.After(time.Minute):
		t.Fatalf("topicwire %s does not serve", strings.Join(args, " "))
	}
	return d
}

// stop asks the daemon to end and returns how long that took.
func (d *daemon) stop(t testing.TB) time.Duration {
	t.Helper()
	began := time.Now()
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-d.ended:
	case <-time.After(30 * time.Second):
		t.Fatal("the daemon did not end after SIGTERM")
	}
	if code := d.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the daemon ended with exit code %d\n%s", code, d.log)
	}
	return time.Since(began)
}

// serve starts an origin of feeds.
func serve(t testing.TB, handler http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

// get is the body of a page that must answer 200.
func get(t testing.TB, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s\n%s", url, resp.Status, body)
	}
	return string(body)
}
