package main_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// openTerminal opens a pseudo-terminal: what is written to tty is read from screen.
func openTerminal(t testing.TB) (screen, tty *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("SKIPPED: no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { screen.Close() })
	control := func(request uintptr, value *int32) {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, screen.Fd(), request, uintptr(unsafe.Pointer(value))); errno != 0 {
			t.Fatalf("open a pseudo-terminal: %v", errno)
		}
	}
	var unlock, number int32
	control(syscall.TIOCSPTLCK, &unlock)
	control(syscall.TIOCGPTN, &number)
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tty.Close() })
	return screen, tty
}

// onTerminal runs the program with standard error on a terminal and returns what it showed there. Standard output goes
// to the same terminal, or into a pipe.
func onTerminal(t testing.TB, dir string, piped bool, args ...string) string {
	t.Helper()
	screen, tty := openTerminal(t)
	cmd := exec.Command(binary, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, tty, tty
	cmd.Env = append(os.Environ(), "TERM=xterm")
	if piped {
		cmd.Stdout = &strings.Builder{}
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tty.Close()
	shown := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(screen) // ends with an error once nobody has the terminal open
		shown <- string(text)
	}()
	if err := cmd.Wait(); err != nil {
		t.Errorf("topicwire %s: %v", strings.Join(args, " "), err)
	}
	select {
	case text := <-shown:
		return text
	case <-time.After(time.Minute):
		t.Fatal("the terminal is never closed")
		return ""
	}
}

// TestProgressOnATerminal polls an origin that takes its time, in a process of its own and through a daemon.
func TestProgressOnATerminal(t *testing.T) {
	origin := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(100 * time.Millisecond)
		fmt.Fprintf(w, `<rss version="2.0"><channel><title>%s</title><item><title>x</title><guid>1</guid></item></channel></rss>`, r.URL.Path)
	}))
	var names []string
	for i := range 10 {
		names = append(names, fmt.Sprintf("f%d", i))
	}
	config := "listen: 127.0.0.1:0\nfetch: {allow_private: true, host_connections: 1, host_delay: 0s}\nschedule: \"@yearly\"\n" + feedConfig(origin.URL, names...)
	dir := workdir(t, config)
	const line = "of 10 feeds"
	if shown := onTerminal(t, dir, false, "fetch", "--all"); !strings.Contains(shown, line) || !strings.Contains(shown, "left\r\x1b[Kf") ||
		!strings.HasSuffix(strings.TrimSpace(shown), "0 failed") {
		t.Errorf("on a terminal: %q", shown)
	}
	for _, args := range [][]string{{"fetch", "--all", "--quiet"}, {"fetch", "--all", "--json"}} {
		if shown := onTerminal(t, dir, false, args...); strings.Contains(shown, line) {
			t.Errorf("%v shows progress: %q", args, shown)
		}
	}
	if shown := onTerminal(t, dir, true, "fetch", "--all"); strings.Contains(shown, line) {
		t.Errorf("in a pipe: %q", shown)
	}
	start(t, dir, "run")
	if shown := onTerminal(t, dir, false, "fetch", "--all"); !strings.Contains(shown, line) || !strings.Contains(shown, " s left") {
		t.Errorf("through the daemon: %q", shown)
	}
	for _, args := range [][]string{{"store", "check"}, {"store", "compact"}, {"store", "prune"}, {"store", "backup", "copy.db"}} {
		if shown := onTerminal(t, dir, false, args...); strings.TrimSpace(shown) == "" {
			t.Errorf("%v through the daemon shows nothing", args)
		}
	}
}
