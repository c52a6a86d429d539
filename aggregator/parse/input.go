package parse

import (
	"github.com/topicwire/topicwire/aggregator/parse/scan"
)

// NotFeedError says that a body is no feed, what it is instead, and which feeds it points to. Callers tell it apart
// with errors.As: such a poll has failed, and a web page's Alternates are where to look instead.
type NotFeedError = scan.NotFeedError

// LimitError says that a document is more than can be read in bounded time and memory.
type LimitError = scan.LimitError

// input is what the scanner let through.
type input struct {
	kind inputKind
	// name says what it is in messages.
	name string
	data []byte
	// items counts those in data, leftOut those that the scanner could not save.
	items, leftOut int
	// spans says where they are.
	spans   []span
	repairs []string
}

// inputKind is which of gofeed's parsers reads the data.
type inputKind int

const (
	inputRSS inputKind = iota
	inputAtom
	inputJSON
)

func scanBody(body []byte, contentType string) (*input, error) {
	r, err := scan.Scan(body, contentType, scan.DefaultLimits())
	if err != nil {
		return nil, err
	}
	in := &input{name: string(r.Kind), data: r.Data, items: len(r.Items), leftOut: r.LeftOut, repairs: r.Repairs}
	in.spans = make([]span, 0, len(r.Items))
	for _, at := range r.Items {
		in.spans = append(in.spans, span{at.Start, at.End})
	}
	switch r.Kind {
	case scan.Atom:
		in.kind = inputAtom
	case scan.JSON:
		in.kind = inputJSON
	}
	return in, nil
}
