package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

const (
	// progressAfter is how long work lasts before its progress is shown: most is done before that. progressEach is how
	// often it is shown anew.
	progressAfter = 500 * time.Millisecond
	progressEach  = 200 * time.Millisecond
	// progressWidth is what a line has at most, so that it fits into a terminal and can be taken back.
	progressWidth = 79
	eraseLine     = "\r\x1b[K"
)

// screen keeps a line of progress below what a program prints on a terminal.
type screen struct {
	now func() time.Time

	mu sync.Mutex
	w  io.Writer
	// drawn says that the line is there; drawnAt is when it was last drawn.
	drawn   bool
	drawnAt time.Time
	// began is when the work began; part is where its part under way began, at partAt.
	began, partAt time.Time
	part          aggregator.Progress
}

// newScreen is the screen of standard error, or nil where nobody sees it: it is no terminal, or what is printed goes
// through a pipe, which may end on the same one.
func newScreen(stdout, stderr io.Writer, now func() time.Time) *screen {
	if !isTerminal(stderr) || fileMode(stdout)&os.ModeNamedPipe != 0 {
		return nil
	}
	return &screen{w: stderr, now: now}
}

// fileMode is 0 for what is no file.
func fileMode(w io.Writer) os.FileMode {
	file, ok := w.(*os.File)
	if !ok {
		return 0
	}
	info, err := file.Stat()
	if err != nil {
		return 0
	}
	return info.Mode()
}

// above is w, with the line of progress taken away before anything is written.
func (s *screen) above(w io.Writer) io.Writer {
	if s == nil {
		return w
	}
	return aboveLine{s, w}
}

type aboveLine struct {
	*screen
	w io.Writer
}

func (a aboveLine) Write(b []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.erase()
	return a.w.Write(b)
}

// erase takes the line away. The caller holds mu.
func (s *screen) erase() {
	if s.drawn {
		fmt.Fprint(s.w, eraseLine)
		s.drawn = false
	}
}

// progress shows how far the work has come, unless it did so a moment ago.
func (s *screen) progress(p aggregator.Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.began.IsZero() {
		s.began = now
	}
	if p.What != s.part.What || s.partAt.IsZero() {
		s.part, s.partAt = p, now
	}
	if now.Sub(s.began) < progressAfter || now.Sub(s.drawnAt) < progressEach {
		return
	}
	s.drawn, s.drawnAt = true, now
	fmt.Fprint(s.w, eraseLine+progressLine(p, s.part.Done, now.Sub(s.partAt)))
}

// end takes the line away for good.
func (s *screen) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	s.began, s.partAt = time.Time{}, time.Time{}
}

// showProgress is a context whose work shows its progress until end is called: nowhere where hide is set or nobody would
// see it.
func (p *program) showProgress(ctx context.Context, hide bool) (progress context.Context, end func()) {
	if p.screen == nil || hide {
		return ctx, func() {}
	}
	return aggregator.WithProgress(ctx, p.screen.progress), p.screen.end
}

// progressLine is one line about work that began with first done, so long ago.
func progressLine(p aggregator.Progress, first int64, since time.Duration) string {
	amount := thousands
	unit := " " + p.Unit
	if p.Unit == "bytes" {
		amount, unit = size, ""
	}
	rate := 0.0
	if since > 0 {
		rate = float64(p.Done-first) / since.Seconds()
	}
	var parts []string
	switch {
	case p.Unit == "" && p.Total > 0:
		parts = append(parts, fmt.Sprintf("%d%%", 100*p.Done/p.Total))
	case p.Total > 0:
		parts = append(parts, fmt.Sprintf("%s of %s%s", amount(p.Done), amount(p.Total), unit))
	case p.Done > 0:
		parts = append(parts, amount(p.Done)+unit)
	}
	if rate > 0 && p.Unit != "" {
		parts = append(parts, amount(int64(rate))+"/s")
	}
	if rate > 0 && p.Total > p.Done {
		parts = append(parts, timeLeft(float64(p.Total-p.Done)/rate)+" left")
	}
	line := p.What
	if len(parts) > 0 {
		line += ": " + strings.Join(parts, ", ")
	}
	if runes := []rune(line); len(runes) > progressWidth {
		line = string(runes[:progressWidth])
	}
	return line
}

// thousands is a number with its digits in groups.
func thousands(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// timeLeft is a number of seconds in words, rounded as an estimate may be.
func timeLeft(seconds float64) string {
	switch d := time.Duration(seconds * float64(time.Second)); {
	case seconds > 100*3600:
		return "days"
	case d >= time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	default:
		return fmt.Sprintf("%d s", int(d.Seconds())+1)
	}
}
