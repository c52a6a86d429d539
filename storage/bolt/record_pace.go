package bolt

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// paceRecord is an aggregator.Pace but for its NotBefore, which is a field of the state.
type paceRecord struct {
	FreshUntil   instant       `cbor:"1,keyasint,omitzero"`
	TTL          time.Duration `cbor:"2,keyasint,omitempty"`
	UpdatePeriod time.Duration `cbor:"3,keyasint,omitempty"`
	UpdateBase   instant       `cbor:"4,keyasint,omitzero"`
	SkipHours    uint32        `cbor:"5,keyasint,omitempty"`
	SkipDays     uint8         `cbor:"6,keyasint,omitempty"`
	Seen         instant       `cbor:"7,keyasint,omitzero"`
	Latest       instant       `cbor:"8,keyasint,omitzero"`
	// Counts are the rhythm's, as rhythmBytes writes them; Fill is its Fill.
	Counts    [4 * rhythmCounts]byte `cbor:"9,keyasint,omitzero"`
	Fill      time.Duration          `cbor:"10,keyasint,omitempty"`
	Throttled int                    `cbor:"11,keyasint,omitempty"`
	Gone      instant                `cbor:"12,keyasint,omitzero"`
	Stopped   string                 `cbor:"13,keyasint,omitempty"`
}

type moveRecord struct {
	Target  string  `cbor:"1,keyasint,omitempty"`
	Since   instant `cbor:"2,keyasint,omitzero"`
	Polls   int     `cbor:"3,keyasint,omitempty"`
	Refused string  `cbor:"4,keyasint,omitempty"`
}

// rhythmCounts is how many numbers a rhythm counts.
const rhythmCounts = 3 + 24 + 7

func (r paceRecord) pace(notBefore instant) aggregator.Pace {
	p := aggregator.Pace{
		Hints: aggregator.Hints{
			FreshUntil: r.FreshUntil.time(), TTL: r.TTL, UpdatePeriod: r.UpdatePeriod, UpdateBase: r.UpdateBase.time(),
			SkipHours: r.SkipHours, SkipDays: r.SkipDays,
		},
		Rhythm:    aggregator.Rhythm{Seen: r.Seen.time(), Latest: r.Latest.time(), Fill: r.Fill},
		NotBefore: notBefore.time(), Throttled: r.Throttled, Gone: r.Gone.time(), Stopped: r.Stopped,
	}
	for i, count := range countsOf(&p.Rhythm) {
		*count = math.Float32frombits(binary.BigEndian.Uint32(r.Counts[4*i:]))
	}
	return p
}

func rhythmBytes(r *aggregator.Rhythm) (b [4 * rhythmCounts]byte) {
	for i, count := range countsOf(r) {
		binary.BigEndian.PutUint32(b[4*i:], math.Float32bits(*count))
	}
	return b
}

// countsOf are the rhythm's numbers in the order in which they are stored.
func countsOf(r *aggregator.Rhythm) (counts [rhythmCounts]*float32) {
	counts[0], counts[1], counts[2] = &r.Arrivals, &r.Watched, &r.Covered
	for i := range r.ByHour {
		counts[3+i] = &r.ByHour[i]
	}
	for i := range r.ByDay {
		counts[3+24+i] = &r.ByDay[i]
	}
	return counts
}

// pastPollLen is how many bytes a poll of a history takes.
const pastPollLen = 5

func historyIn(b string) (h aggregator.History) {
	for i := 0; i < len(h) && len(b) >= pastPollLen; i, b = i+1, b[pastPollLen:] {
		h[i] = aggregator.PastPoll{Minute: binary.BigEndian.Uint32([]byte(b[:4])), Mark: aggregator.Mark(b[4])}
	}
	return h
}
