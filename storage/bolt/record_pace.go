package bolt

import (
	"encoding/binary"
	"math"
	"math/bits"
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
	// Counts are the rhythm's, in the order of countsOf, four bytes each; Fill is its Fill.
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

// rhythm writes the counts of a rhythm that are not zero: which of them those are, a bit for each from the lowest on, and
// four bytes for each of those.
func (w *fieldWriter) rhythm(r *aggregator.Rhythm) {
	var which uint64
	counts := countsOf(r)
	for i, count := range counts {
		if math.Float32bits(*count) != 0 {
			which |= 1 << i
		}
	}
	if which == 0 {
		return
	}
	w.raw(rhythmField, uvarintLen(which)+4*bits.OnesCount64(which))
	*w = binary.AppendUvarint(*w, which)
	for i, count := range counts {
		if which&(1<<i) != 0 {
			*w = binary.BigEndian.AppendUint32(*w, math.Float32bits(*count))
		}
	}
}

// setCounts reads what rhythm wrote.
func setCounts(r *aggregator.Rhythm, written []byte) {
	in := fieldReader{record: written}
	which, _ := in.uvarint()
	rest := in.record[in.at:]
	for i, count := range countsOf(r) {
		if which&(1<<i) != 0 && len(rest) >= 4 {
			*count = math.Float32frombits(binary.BigEndian.Uint32(rest))
			rest = rest[4:]
		}
	}
}

// uvarintLen is how many bytes an unsigned varint takes.
func uvarintLen(n uint64) int { return max(1, (bits.Len64(n)+6)/7) }

// history writes the polls that there are, the latest first: for each a signed varint with the minutes from it to the one
// before it in the list, to the beginning of 1970 for the first, and its mark. Two bytes do for polls within an hour.
func (w *fieldWriter) history(h *aggregator.History) {
	var room [aggregator.HistoryLen * (binary.MaxVarintLen64 + 1)]byte
	made, before := room[:0], int64(0)
	for _, p := range h {
		if p == (aggregator.PastPoll{}) {
			break
		}
		made = append(binary.AppendVarint(made, before-int64(p.Minute)), byte(p.Mark))
		before = int64(p.Minute)
	}
	if len(made) > 0 {
		w.raw(pastPollsField, len(made))
		*w = append(*w, made...)
	}
}

// pastPollsIn reads what history wrote.
func pastPollsIn(written []byte) (h aggregator.History) {
	in, minute := fieldReader{record: written}, int64(0)
	for i := 0; i < len(h); i++ {
		n, ok := in.varint()
		if !ok || !in.more() {
			break
		}
		minute -= n
		h[i] = aggregator.PastPoll{Minute: uint32(minute), Mark: aggregator.Mark(written[in.at])}
		in.at++
	}
	return h
}

// pastPollLen is how many bytes a poll of a history took once.
const pastPollLen = 5

// historyIn reads a history of such.
func historyIn(b string) (h aggregator.History) {
	for i := 0; i < len(h) && len(b) >= pastPollLen; i, b = i+1, b[pastPollLen:] {
		h[i] = aggregator.PastPoll{Minute: binary.BigEndian.Uint32([]byte(b[:4])), Mark: aggregator.Mark(b[4])}
	}
	return h
}
