package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/config"
	"github.com/topicwire/topicwire/aggregator/fetch"
	"github.com/topicwire/topicwire/aggregator/parse"
	"github.com/topicwire/topicwire/aggregator/parse/scan"
)

// discovery is what one look at a URL found, as --json prints it.
type discovery struct {
	// URL is where the answer came from.
	URL string `json:"url"`
	// What is the kind of document: "RSS", "Atom", "JSON Feed", "a web page" and so on.
	What  string         `json:"what"`
	Feeds []offeredFeed  `json:"feeds"`
	Guess []guessedPlace `json:"guesses"`
}

type offeredFeed struct {
	URL    string `json:"url"`
	Format string `json:"format"`
	Title  string `json:"title"`
	// Items and Newest are known of a feed that was read itself, not of one that a page only names.
	Items  int        `json:"items"`
	Newest *time.Time `json:"newest"`
	// Read says whether the feed was read itself. Known is the id under which the config has it.
	Read  bool              `json:"read"`
	Known aggregator.FeedID `json:"known_as"`
}

// guessedPlace is where a feed often is; nobody looked.
type guessedPlace struct {
	URL string `json:"url"`
}

func (p *program) feedsDiscoverCommand() *cobra.Command {
	var asJSON, private bool
	cmd := &cobra.Command{
		Use:   "discover URL",
		Short: "Show the feeds that a page offers, or what a feed is",
		Long: `Make one request for a page or a feed and show which feeds there are: the feed itself, or those that the page names
in its head. Of a page that names none, the usual places are listed as guesses; they are not asked. The
limits of the config count for the request. The exit code is 1 where no feed was found.`,
		Example: "  topicwire feeds discover https://example.org/",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || !strings.Contains(args[0], "://") {
				return usageError{fmt.Errorf("want one URL that begins with https:// or http://; see '%s --help'", cmd.CommandPath())}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, _, err := p.loadConfig()
			if err != nil {
				return err
			}
			found, err := p.discover(cmd.Context(), cfg, fetch.Request{URL: args[0], AllowPrivate: private})
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(p.stdout, found)
			} else {
				p.printDiscovery(found)
			}
			if err == nil && len(found.Feeds) == 0 {
				return fmt.Errorf("%s is %s and names no feed", found.URL, found.What)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	cmd.Flags().BoolVar(&private, "allow-private", false, "the URL may be at a private address")
	return cmd
}

func (p *program) discover(ctx context.Context, cfg *config.Config, req fetch.Request) (*discovery, error) {
	client := fetch.New(fetchOptions(cfg, p.now))
	defer client.Close()
	resp, err := client.Get(ctx, req)
	if err != nil {
		return nil, err
	}
	known := make(map[string]aggregator.FeedID)
	for _, f := range cfg.Feeds {
		known[feedKey(f.URL)] = f.ID
	}
	found := &discovery{URL: resp.URL, Feeds: []offeredFeed{}, Guess: []guessedPlace{}}
	result, err := scan.Scan(resp.Body, resp.ContentType, scan.DefaultLimits())
	var none *scan.NotFeedError
	switch {
	case errors.As(err, &none):
		found.What = none.What
		page, _ := url.Parse(resp.URL)
		for _, a := range none.Alternates {
			if u, err := page.Parse(a.URL); err == nil {
				found.Feeds = append(found.Feeds, offeredFeed{
					URL: u.String(), Format: mediaFormat(a.Type), Title: oneLine(a.Title), Known: known[feedKey(u.String())],
				})
			}
		}
		if len(found.Feeds) == 0 {
			found.Guess = guesses(page)
		}
		return found, nil
	case err != nil:
		return nil, err
	}
	doc, err := parse.Parse(resp.Body, parse.Source{URL: resp.URL, ContentType: resp.ContentType, Seen: p.now().UTC()})
	if err != nil {
		return nil, err
	}
	found.What = string(result.Kind)
	feed := offeredFeed{
		URL: resp.URL, Format: found.What, Title: oneLine(doc.Title), Items: doc.Listed, Read: true, Known: known[feedKey(req.URL)],
	}
	var newest time.Time
	for _, it := range doc.Items {
		if it.Published.After(newest) {
			newest = it.Published
		}
	}
	feed.Newest = orNull(newest)
	found.Feeds = append(found.Feeds, feed)
	return found, nil
}

// mediaFormat names the format that a media type stands for.
func mediaFormat(mediaType string) string {
	switch mediaType {
	case "application/rss+xml":
		return "RSS"
	case "application/atom+xml":
		return "Atom"
	case "application/rdf+xml":
		return "RDF"
	case "application/feed+json":
		return "JSON Feed"
	}
	return "XML"
}

// guesses are the places where the feed of a page often is.
func guesses(page *url.URL) []guessedPlace {
	at := func(path, query string) guessedPlace {
		return guessedPlace{(&url.URL{Scheme: page.Scheme, Host: page.Host, Path: path, RawQuery: query}).String()}
	}
	host := strings.TrimPrefix(page.Hostname(), "www.")
	parts := strings.Split(strings.Trim(page.Path, "/"), "/")
	switch {
	case host == "youtube.com" && len(parts) >= 2 && parts[0] == "channel":
		return []guessedPlace{at("/feeds/videos.xml", "channel_id="+url.QueryEscape(parts[1]))}
	case host == "youtube.com" && page.Query().Has("list"):
		return []guessedPlace{at("/feeds/videos.xml", "playlist_id="+url.QueryEscape(page.Query().Get("list")))}
	case strings.HasSuffix(host, "reddit.com") && len(parts) >= 2:
		return []guessedPlace{at(path.Join(page.Path, ".rss"), "")}
	case host == "github.com" && len(parts) >= 2:
		repository := "/" + parts[0] + "/" + parts[1]
		return []guessedPlace{at(repository+"/releases.atom", ""), at(repository+"/commits.atom", "")}
	case host == "medium.com" && parts[0] != "":
		return []guessedPlace{at("/feed/"+parts[0], "")}
	case strings.HasPrefix(parts[0], "@") && len(parts) == 1:
		return []guessedPlace{at("/"+parts[0]+".rss", ""), at("/feed/"+parts[0], "")}
	}
	var all []guessedPlace
	for _, usual := range []string{"/feed/", "/feed.xml", "/rss.xml", "/atom.xml", "/index.xml", "/feed.json"} {
		all = append(all, at(usual, ""))
	}
	return all
}

func (p *program) printDiscovery(d *discovery) {
	for _, f := range d.Feeds {
		fmt.Fprintf(p.stdout, "%s\n  %s", f.URL, f.Format)
		if f.Title != "" {
			fmt.Fprintf(p.stdout, ": %s", f.Title)
		}
		if f.Read {
			fmt.Fprintf(p.stdout, ", %d items, newest %s", f.Items, minute(f.Newest))
		}
		if f.Known != "" {
			fmt.Fprintf(p.stdout, " (in the config as %s)", f.Known)
		}
		fmt.Fprintln(p.stdout)
	}
	if len(d.Feeds) > 0 && !d.Feeds[0].Read {
		fmt.Fprintf(p.stdout, "\n%s is %s and names these feeds; 'topicwire feeds add URL' takes one over\n", d.URL, d.What)
	}
	if len(d.Guess) > 0 {
		fmt.Fprintln(p.stdout, "Guesses where a feed may be; nobody looked:")
	}
	for _, g := range d.Guess {
		fmt.Fprintf(p.stdout, "  %s\n", g.URL)
	}
}
