package storage

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/storage/bolt"
)

// Options are how a store is opened. The zero value is ready for use.
type Options struct {
	// Timeout is how long Open waits for a store that another process has open; 0 is 2 seconds.
	Timeout time.Duration
	// Now dates the Versions of topics; nil is time.Now.
	Now func() time.Time
}

// Open opens the store that rawURL names and makes an empty one where there is none:
//
//	bolt:///var/lib/topicwire/wire.db   the file at an absolute path
//	bolt://wire.db                      the file at a path below the working directory
//
// All after bolt:// is the path as it is, nothing in it is decoded. The error is aggregator.ErrStoreBusy where another
// process has the store open; any error names the store and what to do.
func Open(ctx context.Context, rawURL string, o Options) (Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	scheme, path, ok := strings.Cut(rawURL, "://")
	switch {
	case !ok || path == "":
		return nil, fmt.Errorf("open store %q: want a URL such as bolt:///var/lib/topicwire/wire.db", rawURL)
	case scheme == "bolt":
		s, err := bolt.Open(path, bolt.Options{Timeout: o.Timeout, Now: o.Now})
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	// The rest of the URL may hold a password.
	return nil, fmt.Errorf("open store: there is no backend %q; the backends are: bolt", scheme)
}

// Verify checks the store that rawURL names whole, without changing it and while no process has it open: a backup that
// passes opens, and says all that the store said. The error names the file and the first problem.
func Verify(ctx context.Context, rawURL string) (aggregator.CheckReport, error) {
	path, ok := strings.CutPrefix(rawURL, "bolt://")
	if !ok || path == "" {
		return aggregator.CheckReport{}, errors.New("verify store: want the URL of a file, such as bolt:///var/backups/wire.db")
	}
	return bolt.Verify(ctx, path)
}
