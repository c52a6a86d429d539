// Package export writes items for research: what was published, by whom, when it was first seen and what it was filed
// under, in files that pandas, R and DuckDB open.
//
// A Row is an item as it leaves: its fields have the names, the order and the meaning that docs/export.md promises, and
// keep them. The formats only spell rows differently: JSON Lines with every key on every line, CSV by RFC 4180. Rows are
// written one by one as they come, so that memory does not grow with their number; the same items give the same bytes,
// on any day and any machine. ToFile puts the result in place whole or not at all.
package export

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/topicwire/topicwire/aggregator"
)

// Format is how rows are spelled.
type Format string

// The formats.
const (
	// JSONL is JSON Lines: UTF-8, one JSON object (RFC 8259) to a line, every key on every line in the order of Row.
	JSONL Format = "jsonl"
	// CSV is RFC 4180: a header, CRLF behind every record, lists as JSON arrays, empty cells for what is not known.
	CSV Format = "csv"
)

// Formats are all formats, in the order in which help texts name them.
func Formats() []Format { return []Format{JSONL, CSV} }

// ParseFormat is the format of that name, in any case. The error names those there are.
func ParseFormat(name string) (Format, error) {
	var names []string
	for _, f := range Formats() {
		if strings.EqualFold(name, string(f)) {
			return f, nil
		}
		names = append(names, string(f))
	}
	return "", fmt.Errorf("unknown export format %q: use one of %s", name, strings.Join(names, ", "))
}

// Options change how CSV is spelled. Other formats pass them over.
type Options struct {
	// BOM puts a byte order mark before the header, by which spreadsheets recognise UTF-8.
	BOM bool
	// FormulaGuard puts an apostrophe before each cell that begins with = + - @, tab or carriage return, which
	// spreadsheets would otherwise run as a formula. It changes the data, for files that people open by hand.
	FormulaGuard bool
}

// encoder spells rows. It buffers at most a row.
type encoder interface {
	begin() error
	row(*Row) error
}

// Write writes the items as they come and gives the number of rows written. It stops between two rows when ctx ends, and
// at the first error that items yields or w returns; w then has whole rows, unless it was w that failed.
func Write(ctx context.Context, w io.Writer, format Format, items iter.Seq2[aggregator.Item, error], o Options) (n int, err error) {
	format, err = ParseFormat(string(format))
	if err != nil {
		return 0, err
	}
	buffered := bufio.NewWriterSize(w, 64<<10)
	defer func() {
		if flushed := buffered.Flush(); err == nil && flushed != nil {
			err = fmt.Errorf("write rows: %w", flushed)
		}
	}()
	var enc encoder = newJSONL(buffered)
	if format == CSV {
		enc = &csvEncoder{w: buffered, options: o}
	}
	if err := enc.begin(); err != nil {
		return 0, fmt.Errorf("write header: %w", err)
	}
	for it, err := range items {
		if ctx.Err() != nil {
			return n, fmt.Errorf("export stopped after %d rows: %w", n, context.Cause(ctx))
		}
		if err != nil {
			return n, fmt.Errorf("read items after %d rows: %w", n, err)
		}
		row := NewRow(&it)
		if err := enc.row(&row); err != nil {
			return n, fmt.Errorf("write item %s: %w", it.ID, err)
		}
		n++
	}
	if ctx.Err() != nil {
		return n, fmt.Errorf("export stopped after %d rows: %w", n, context.Cause(ctx))
	}
	return n, nil
}
