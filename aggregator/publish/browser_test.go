package publish_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/topicwire/topicwire/aggregator"
)

const (
	// axeFile is the accessibility checker, artefacts the folder for screenshots; git passes both over.
	axeFile   = "../../.ci/tools/node_modules/axe-core/axe.min.js"
	artefacts = "../../.ci/artefacts/pages"
)

// wantTool skips a test, loudly, for want of what it needs; under CI that is a failure.
func wantTool(t *testing.T, err error) {
	t.Helper()
	switch {
	case err == nil:
	case os.Getenv("CI") != "":
		t.Fatalf("%v; .ci/install-test-tools installs it", err)
	default:
		t.Skipf("SKIPPED: %v; .ci/install-test-tools installs it", err)
	}
}

// browser is a page of a headless Chromium, and what it complained about and asked for.
type browser struct {
	*testing.T
	ctx context.Context
	axe string

	mu         sync.Mutex
	complaints []string
	asked      []string
}

func openBrowser(t *testing.T) *browser {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	wantTool(t, err)
	axe, err := os.ReadFile(axeFile)
	wantTool(t, err)
	if err := os.MkdirAll(artefacts, 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx,
		chromedp.ExecPath(chromium), chromedp.UserDataDir(t.TempDir()), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true),
	)
	t.Cleanup(cancel)
	b := &browser{T: t, axe: string(axe)}
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithListener(func(event any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch event := event.(type) {
		case *log.EventEntryAdded: // what breaks the security policy is logged
			b.complaints = append(b.complaints, event.Entry.Text)
		case *network.EventRequestWillBeSent:
			b.asked = append(b.asked, event.Request.URL)
		}
	}))
	t.Cleanup(cancel)
	b.ctx = ctx
	b.do(command(network.Enable, network.EnableParams{}), command(log.Enable, cdp.Empty{}))
	return b
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.Fatal(err)
	}
}

// value is what an action gives.
func value[T any](b *browser, action chromedp.Action[T]) T {
	b.Helper()
	v, err := chromedp.Run(b.ctx, action)
	if err != nil {
		b.Fatal(err)
	}
	return v
}

// command is a command of the protocol whose answer does not matter.
func command[P, R any](c cdp.Command[P, R], parameters P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, parameters)
		return err
	})
}

// medium is what pages are shown on.
func medium(name, scheme string) chromedp.Action[chromedp.Void] {
	return command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Media: name, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// take returns what was complained about and asked for since it was last called.
func (b *browser) take() (complaints, asked []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	complaints, asked = b.complaints, b.asked
	b.complaints, b.asked = nil, nil
	return complaints, asked
}

// axeFinding is what the accessibility checker finds.
type axeFinding struct {
	ID, Help string
	Nodes    []struct{ HTML, FailureSummary string }
}

// check holds the page that is open to what every page promises.
func (b *browser) check(width int64) {
	b.Helper()
	overflow := value(b, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`))
	raw := value(b, chromedp.Evaluate[string](b.axe+`
axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations))`, chromedp.EvalAwaitPromise))
	var found []axeFinding
	if err := json.Unmarshal([]byte(raw), &found); err != nil {
		b.Fatal(err)
	}
	for _, f := range found {
		for _, n := range f.Nodes {
			b.Errorf("%s: %s\n%s\n%s", f.ID, f.Help, n.HTML, n.FailureSummary)
		}
	}
	if overflow > width {
		b.Errorf("the page is %d pixels wide on a screen of %d", overflow, width)
	}
}

// gallery is a wire with all that pages show: long and hostile texts, several sources over weeks, feeds in every state.
func gallery() *memory {
	src := sample()
	for i, name := range []string{"Aurora Daily", "Technik heute", "Le Nuage", "数据周刊", "The Ledger", "Cloud & Clear", "Bits"} {
		id := aggregator.FeedID(fmt.Sprint("feed-", i))
		f := feed(id, name)
		f.State.LastPoll = aggregator.PollRecord{At: noon, Outcome: aggregator.OutcomeStored, New: 1}
		f.State.Pace.Rhythm = aggregator.Rhythm{Arrivals: float32(i), Watched: 72}
		for k := range 30 {
			f.State.History = f.State.History.Add(aggregator.PollRecord{At: noon.Add(time.Duration(k-30) * time.Hour), New: (k * i) % 3})
		}
		src.feeds[id] = f
		for k := range 2 {
			it := item(id, fmt.Sprint(i, "-", k), 5+k*(17+i*11), "cloud")
			it.Title = []string{"Region opens in the north", "Rechenzentrum eröffnet", "Un centre de données ouvre", "云计算中心开业"}[(i+k)%4]
			it.Language = []string{"en", "de", "fr", "zh"}[(i+k)%4]
			it.Summary = strings.Repeat("A sentence of some length about machines that other people own. ", 1+k%4)
			src.stories = append(src.stories, story(it))
		}
	}
	hostile := item("courier", "hostile", 0, "cloud", "data-protection")
	hostile.Title = `"><script>alert(1)</script></h3></main> ` + "\u202Eevil" + strings.Repeat("W", 200)
	hostile.Summary = `<img src=x onerror=alert(1)><style>*{display:none}</style>` + strings.Repeat("unbroken", 60) + ` {{.}} <p style="position:fixed">`
	hostile.URL = "https://courier.example/" + strings.Repeat("long/", 60)
	src.stories = append(src.stories, story(hostile))
	stopped := feed("stopped", "Stopped for good")
	stopped.State.LastPoll, stopped.State.Pace.Stopped = aggregator.PollRecord{At: noon, Status: 410, Outcome: aggregator.OutcomeFailed}, "gone (410) for more than a day"
	held := feed("held", "Held")
	held.State.LastPoll, held.State.Pace.Throttled = aggregator.PollRecord{At: noon, Status: 429, Outcome: aggregator.OutcomeFailed}, 2
	held.State.LastPoll.Error = "get https://held.example: too many requests (429): poll this host more rarely " + strings.Repeat("long", 40)
	held.State.History = held.State.History.Add(held.State.LastPoll)
	src.feeds["stopped"], src.feeds["held"] = stopped, held
	return src
}

// TestPagesInABrowser looks at every page as a reader does: on a phone and on a desk, by day and by night, without a mouse
// and on paper.
func TestPagesInABrowser(t *testing.T) {
	server := httptest.NewServer(handler(t, gallery(), at(noon.Add(time.Hour)), searchable))
	defer server.Close()
	b := openBrowser(t)
	for _, width := range []int64{390, 1280} {
		for _, scheme := range []string{"light", "dark"} {
			pages := map[string]string{
				"index": "/", "topic": "/topics/cloud", "status": "/status", "story": "/stories/" + storyOf("https://courier.example/cloud-office"),
			}
			if (width == 390) == (scheme == "dark") { // these have little that the others have not
				maps.Copy(pages, map[string]string{
					"search": "/all?q=region", "mistake": "/all?q=cloud+(aws", "older": "/topics/cloud?until=2026-11-20",
					"empty": "/topics/quiet", "missing": "/topics/none",
				})
			}
			b.do(chromedp.EmulateViewport(width, 900), medium("screen", scheme))
			for name, path := range pages {
				t.Run(fmt.Sprintf("%s-%d-%s", name, width, scheme), func(t *testing.T) { b.in(t).look(server.URL, path, width) })
			}
		}
	}
	files := t.TempDir()
	for name, body := range static(t, gallery()) {
		path := filepath.Join(files, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(body), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	static := httptest.NewServer(http.StripPrefix("/some/folder", http.FileServer(http.Dir(files))))
	defer static.Close()
	b.do(chromedp.EmulateViewport(1280, 900), medium("screen", "light"))
	t.Run("static", func(t *testing.T) { b.in(t).look(static.URL, "/some/folder/topics/cloud/", 1280) })
	t.Run("static-from-disk", func(t *testing.T) { b.in(t).look("file://"+files, "/topics/cloud/index.html", 1280) })
	t.Run("by keyboard", func(t *testing.T) { b.in(t).useKeyboard(server.URL) })
	t.Run("on paper", func(t *testing.T) { b.in(t).print(server.URL) })
}

// in is the browser for a subtest.
func (b *browser) in(t *testing.T) *browser {
	b.T = t
	b.take()
	return b
}

// look opens a page, keeps a picture of it and holds it to what every page promises.
func (b *browser) look(site, path string, width int64) {
	b.do(chromedp.Navigate(site + path))
	picture := value(b, chromedp.FullScreenshot(100))
	if err := os.WriteFile(filepath.Join(artefacts, filepath.Base(b.Name())+".png"), picture, 0o644); err != nil {
		b.Fatal(err)
	}
	complaints, asked := b.take()
	for _, c := range complaints {
		if !strings.Contains(c, "404 (Not Found)") && !strings.Contains(c, "400 (Bad Request)") {
			b.Errorf("the browser complains: %s", c)
		}
	}
	for _, url := range asked {
		if !strings.HasPrefix(url, site+"/") && !strings.HasPrefix(url, "data:") { // the browser's own symbols
			b.Errorf("the page asks for %s", url)
		}
	}
	if len(asked) == 0 {
		b.Error("the page asks for nothing: the test looks in the wrong place")
	}
	b.check(width)
}

// useKeyboard goes through pages without a mouse.
func (b *browser) useKeyboard(site string) {
	focus := func() string {
		return value(b, chromedp.Evaluate[string](`(document.activeElement.innerText || document.activeElement.id).trim()`))
	}
	b.do(chromedp.Navigate(site+"/topics/cloud"), chromedp.KeyEvent(kb.Tab))
	left := value(b, chromedp.Evaluate[float64](`document.activeElement.getBoundingClientRect().left`))
	if got := focus(); got != "Skip to the content" || left < 0 {
		b.Errorf("the first stop is %q at %v", got, left)
	}
	b.do(chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent(kb.Tab))
	if got := focus(); got != "Atom" {
		b.Errorf("the first stop behind the skip is %q", got)
	}
	b.do(chromedp.Focus("#q"), chromedp.KeyEvent("region"), chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(".found"))
	found, query := value(b, chromedp.Text(".found")), value(b, chromedp.Value("#q"))
	if !strings.Contains(found, "stories found among") || query != "region" {
		b.Errorf("a search by keyboard: %q for %q", found, query)
	}
	b.do(chromedp.Navigate(site+"/status"), chromedp.Focus("thead th:nth-child(2) a"), chromedp.KeyEvent(kb.Enter),
		chromedp.WaitVisible("th:nth-child(2)[aria-sort=ascending]"))
	if complaints, _ := b.take(); len(complaints) > 0 {
		b.Errorf("the browser complains: %q", complaints)
	}
}

// print prints a page.
func (b *browser) print(site string) {
	b.do(chromedp.Navigate(site+"/topics/cloud"), medium("print", "light"))
	shown := value(b, chromedp.Evaluate[string](`getComputedStyle(document.querySelector(".tools")).display`))
	pdf := value(b, func(ctx context.Context, target *chromedp.Target) ([]byte, error) {
		printed, err := cdp.Call(ctx, target, page.PrintToPDF, page.PrintToPDFParams{})
		return printed.Data, err
	})
	if shown != "none" || len(pdf) < 1000 {
		b.Errorf("forms are printed: %q; %d bytes", shown, len(pdf))
	}
	if err := os.WriteFile(filepath.Join(artefacts, "topic.pdf"), pdf, 0o644); err != nil {
		b.Fatal(err)
	}
}
