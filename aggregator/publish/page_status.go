package publish

import (
	"cmp"
	"context"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/publish/chart"
)

// statusRows is how many feeds a page of the feeds' health lists.
const statusRows = 100

// maxPart bounds the number of a page that anybody may ask for.
const maxPart = 1_000_000

// statusOrder is one way to sort the feeds.
type statusOrder struct {
	key, name string
	compare   func(a, b *feedHealth) int
	// descends says that the greatest comes first where nobody asks for another direction.
	descends bool
}

// statusOrders are the columns of the table; the first is the order where none is asked for.
var statusOrders = []statusOrder{
	{"state", "State", func(a, b *feedHealth) int { return cmp.Compare(a.condition, b.condition) }, false},
	{"feed", "Feed", func(a, b *feedHealth) int { return cmp.Compare(strings.ToLower(a.Title), strings.ToLower(b.Title)) }, false},
	{"rate", "Items a day", func(a, b *feedHealth) int { return cmp.Compare(a.PerDay, b.PerDay) }, true},
	{"items", "Items", func(a, b *feedHealth) int { return cmp.Compare(a.Items, b.Items) }, true},
	{"new", "Latest item", func(a, b *feedHealth) int { return a.LastNew.Compare(b.LastNew) }, true},
	{"polled", "Last poll", func(a, b *feedHealth) int { return a.LastPoll.Compare(b.LastPoll) }, true},
	{"due", "Next poll", func(a, b *feedHealth) int { return dueOf(a).Compare(dueOf(b)) }, false},
}

// dueOf is when the feed is due, the end of time where it is not.
func dueOf(f *feedHealth) time.Time {
	if f.Due.IsZero() {
		return aggregator.Never
	}
	return f.Due
}

// statusView is what is asked for of the page. Its zero value is the first part, the worst first.
type statusView struct {
	order      int
	descending bool
	// only is the condition that is asked for, anyCondition for all.
	only condition
	part int
}

func statusViewOf(q url.Values) (v statusView, ok bool) {
	v.only, v.part = anyCondition, 1
	if key := q.Get("sort"); key != "" {
		if v.order = slices.IndexFunc(statusOrders, func(o statusOrder) bool { return o.key == key }); v.order < 0 {
			return v, false
		}
	}
	v.descending = statusOrders[v.order].descends
	switch q.Get("order") {
	case "":
	case "up":
		v.descending = false
	case "down":
		v.descending = true
	default:
		return v, false
	}
	if word := q.Get("state"); word != "" {
		i := slices.IndexFunc(conditionWords[:], func(w [2]string) bool { return w[0] == word })
		if i < 0 {
			return v, false
		}
		v.only = condition(i)
	}
	if part := q.Get("page"); part != "" {
		n, err := strconv.Atoi(part)
		if err != nil || n < 1 || n > maxPart {
			return v, false
		}
		v.part = n
	}
	return v, true
}

// query is the view as the parameters of an address.
func (v statusView) query() string {
	q := url.Values{"sort": {statusOrders[v.order].key}, "order": {"up"}}
	if v.descending {
		q.Set("order", "down")
	}
	if v.only < anyCondition {
		q.Set("state", conditionWords[v.only][0])
	}
	if v.part > 1 {
		q.Set("page", strconv.Itoa(v.part))
	}
	return "?" + q.Encode()
}

// statusPage is the page of the feeds' health.
type statusPage struct {
	frame
	At time.Time
	// Key has a cell of each kind.
	Key struct{ News, Quiet, Held, Failed template.HTML }
	// Total counts all feeds, Health are those that are shown.
	Total   int
	Sources string // where the list of the feeds is
	Health  []feedHealth
	Items   int
	Filters []statusFilter
	Columns []statusColumn
	Parts   parting
}

type statusFilter struct {
	Name, Class, Link string
	Count             int
	Current           bool
}

type statusColumn struct {
	Name, Link string
	// Sorted is the value of aria-sort, "" for a column that the table is not sorted by.
	Sorted string
}

func (s *site) writeStatus(l links, h *health, view statusView) ([]byte, error) {
	var shown []*feedHealth
	for i := range h.feeds {
		if view.only == anyCondition || h.feeds[i].condition == view.only {
			shown = append(shown, &h.feeds[i])
		}
	}
	order := statusOrders[view.order]
	slices.SortStableFunc(shown, func(a, b *feedHealth) int {
		c := order.compare(a, b)
		if view.descending {
			c = -c
		}
		return cmp.Or(c, cmp.Compare(strings.ToLower(a.Title), strings.ToLower(b.Title)), cmp.Compare(a.ID, b.ID))
	})
	p := statusPage{
		frame: s.frame(l, "/status", "The feeds' health", "How each feed is doing that the stories come from."),
		At:    h.at.UTC(), Total: len(h.feeds), Items: h.items, Sources: l.file(sourcesPath),
	}
	p.Wide = true
	p.Key.News, p.Key.Quiet = chart.Strip([]chart.Cell{chart.Tall}, ""), chart.Strip([]chart.Cell{chart.Short}, "")
	p.Key.Held, p.Key.Failed = chart.Strip([]chart.Cell{chart.Hollow}, ""), chart.Strip([]chart.Cell{chart.Crossed}, "")
	path := l.page("/status")
	parts := max(1, (len(shown)+statusRows-1)/statusRows)
	if !l.static {
		from := min(len(shown), (view.part-1)*statusRows)
		shown = shown[from:min(len(shown), from+statusRows)]
		p.Parts = parting{Number: view.part, Parts: parts}
		if view.part > 1 {
			p.Parts.Previous = path + view.at(view.part-1).query()
		}
		if view.part < parts {
			p.Parts.Following = path + view.at(view.part+1).query()
		}
	}
	for _, f := range shown {
		row := *f
		row.Stories = s.storiesOf(l, row.ID)
		p.Health = append(p.Health, row)
	}
	p.Columns, p.Filters = view.columns(l, path), view.filters(l, path, h)
	return s.execute("status.html", p)
}

// storiesOf leads to a search for the stories that a feed brought, "" where there is no search.
func (s *site) storiesOf(l links, feed string) string {
	if l.static || s.options.ParseQuery == nil {
		return ""
	}
	return l.page("/all") + "?" + url.Values{"q": {`feed:"` + feed + `"`}}.Encode()
}

// at is the view's part of that number.
func (v statusView) at(part int) statusView {
	v.part = part
	return v
}

// columns are the sortable columns with links that sort by them, the other way round where that is so already.
func (v statusView) columns(l links, path string) (out []statusColumn) {
	for i, o := range statusOrders {
		c := statusColumn{Name: o.name}
		next := statusView{order: i, descending: o.descends, only: v.only, part: 1}
		if i == v.order {
			next.descending = !v.descending
			c.Sorted = "ascending"
			if v.descending {
				c.Sorted = "descending"
			}
		}
		if !l.static {
			c.Link = path + next.query()
		}
		out = append(out, c)
	}
	return out
}

// filters are the conditions in which there are feeds, with links to these alone.
func (v statusView) filters(l links, path string, h *health) (out []statusFilter) {
	add := func(name, class string, only condition, n int) {
		f := statusFilter{Name: name, Class: class, Count: n, Current: v.only == only}
		if !l.static {
			f.Link = path + statusView{order: v.order, descending: v.descending, only: only, part: 1}.query()
		}
		out = append(out, f)
	}
	add("All", "all", anyCondition, len(h.feeds))
	for c := range anyCondition {
		if h.counts[c] > 0 || v.only == c {
			add(conditionWords[c][1], conditionWords[c][0], c, h.counts[c])
		}
	}
	return out
}

func (s *site) serveStatus(w http.ResponseWriter, r *http.Request, res resource, query url.Values) {
	view, ok := statusViewOf(query)
	if !ok {
		s.message(w, r, http.StatusBadRequest, "Nothing to show", "The feeds cannot be shown in that order. Their health page has links for those that there are.")
		return
	}
	asked := s.options.Now()
	h, err := s.readHealth(r.Context())
	if err != nil {
		s.fail(w, r, res, err)
		return
	}
	if len(query) > 0 {
		noIndex(w.Header())
	}
	res.view = view.query()
	v := version{rest: strconv.FormatInt(h.at.UnixNano(), 36)}
	rendered, err := s.cached(r.Context(), res, v, func(context.Context) (draft, error) {
		body, err := s.writeStatus(s.links(), h, view)
		return draft{mediaType: pageType, body: body}, err
	})
	if err != nil {
		s.fail(w, r, res, err)
		return
	}
	s.send(w, r, rendered, asked, 0)
}
