package bolt

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// A feed's state is written with every poll, so its record is not CBOR. It begins with the head, which is all that the
// store itself needs to know of the state that another takes the place of.
//
//	fields (1 byte), due (instant), items (8 bytes), flags (1 byte), fields as in fields.go, CRC-32C (4 bytes)

// stateHead is the beginning of a state.
type stateHead struct {
	due   instant
	items int
	// moved says that the feed is polled at another URL than its own.
	moved bool
}

const (
	stateHeadLen = instantLen + 8 + 1
	movedFlag    = 1
)

// The numbers of the state's fields. None is ever used again for something else.
const (
	etagField = iota + 1
	lastModifiedField
	bodyHashField
	titleField
	linkField
	languageField
	documentIDField
	lastSuccessField
	lastNewField
	lastWholeField
	failuresField
	historyField
	movedToField
	moveTargetField
	moveSinceField
	movePollsField
	moveRefusedField
	pollAtField
	pollDurationField
	pollOutcomeField
	pollStatusField
	pollBytesField
	pollErrorField
	pollRepairField
	pollListedField
	pollNewField
	pollChangedField
	pollTooOldField
	freshUntilField
	ttlField
	updatePeriodField
	updateBaseField
	skipHoursField
	skipDaysField
	rhythmSeenField
	rhythmLatestField
	rhythmCountsField
	rhythmFillField
	notBeforeField
	throttledField
	goneField
	stoppedField
	restlessField
	rightsField
	lastChangeField
	pastPollsField
	rhythmField
)

// headOf is what of a state goes into its head.
func headOf(s *aggregator.FeedState) stateHead {
	return stateHead{due: instantOf(s.Due), items: s.Items, moved: s.MovedTo != ""}
}

// encodeState makes the record of a state.
func encodeState(s *aggregator.FeedState) []byte {
	made := readyIn(roomForState(), s)
	return made.finish(s.Items)
}

// appendState makes the record of a state but for its count of items, which is left 0, and its checksum. The given slice is
// empty.
func appendState(empty []byte, s *aggregator.FeedState) []byte {
	w := append(fieldWriter(empty), fielded)
	head := headOf(s)
	w = head.due.appendTo(w)
	w = binary.BigEndian.AppendUint64(w, 0)
	if head.moved {
		w = append(w, movedFlag)
	} else {
		w = append(w, 0)
	}
	w.text(etagField, s.Validators.ETag)
	w.text(lastModifiedField, s.Validators.LastModified)
	if s.BodyHash != (aggregator.Hash{}) {
		w.raw(bodyHashField, len(s.BodyHash))
		w = append(w, s.BodyHash[:]...)
	}
	w.text(titleField, s.Title)
	w.text(linkField, s.Link)
	w.text(languageField, s.Language)
	w.text(documentIDField, s.DocumentID)
	w.text(rightsField, s.Rights)
	w.time(lastSuccessField, s.LastSuccess)
	w.time(lastNewField, s.LastNew)
	w.time(lastWholeField, s.LastWhole)
	w.time(lastChangeField, s.LastChange)
	w.number(failuresField, int64(s.Failures))
	w.number(restlessField, int64(s.Restless))
	w.history(&s.History)
	w.text(movedToField, s.MovedTo)
	w.text(moveTargetField, s.Move.Target)
	w.time(moveSinceField, s.Move.Since)
	w.number(movePollsField, int64(s.Move.Polls))
	w.text(moveRefusedField, s.Move.Refused)
	w.lastPoll(&s.LastPoll)
	w.pace(&s.Pace)
	return w
}

func (w *fieldWriter) lastPoll(r *aggregator.PollRecord) {
	w.time(pollAtField, r.At)
	w.number(pollDurationField, int64(r.Duration))
	w.text(pollOutcomeField, string(r.Outcome))
	w.number(pollStatusField, int64(r.Status))
	w.number(pollBytesField, r.Bytes)
	w.text(pollErrorField, r.Error)
	for _, repair := range r.Repairs {
		w.item(pollRepairField, repair)
	}
	w.number(pollListedField, int64(r.Listed))
	w.number(pollNewField, int64(r.New))
	w.number(pollChangedField, int64(r.Changed))
	w.number(pollTooOldField, int64(r.TooOld))
}

func (w *fieldWriter) pace(p *aggregator.Pace) {
	h, r := &p.Hints, &p.Rhythm
	w.time(freshUntilField, h.FreshUntil)
	w.number(ttlField, int64(h.TTL))
	w.number(updatePeriodField, int64(h.UpdatePeriod))
	w.time(updateBaseField, h.UpdateBase)
	w.number(skipHoursField, int64(h.SkipHours))
	w.number(skipDaysField, int64(h.SkipDays))
	w.time(rhythmSeenField, r.Seen)
	w.time(rhythmLatestField, r.Latest)
	w.rhythm(r)
	w.number(rhythmFillField, int64(r.Fill))
	w.time(notBeforeField, p.NotBefore)
	w.number(throttledField, int64(p.Throttled))
	w.time(goneField, p.Gone)
	w.text(stoppedField, p.Stopped)
}

// decodeHead reads the head of a state's record of this format; ok is false for one of an earlier.
func decodeHead(record []byte) (head stateHead, fields []byte, ok bool, err error) {
	if len(record) == 0 || record[0] != fielded {
		return head, nil, false, nil
	}
	body, err := fieldsIn(record)
	if err == nil && len(body) < stateHeadLen {
		err = fmt.Errorf("%w: it is too short", errRecord)
	}
	if err != nil {
		return head, nil, true, err
	}
	head.due, body, _ = instantIn(body)
	head.items = int(binary.BigEndian.Uint64(body))
	head.moved = body[8]&movedFlag != 0
	return head, body[9:], true, nil
}

// decodeState reads a record that encodeState made into a zero state. The texts of the state share one copy of it.
func decodeState(head stateHead, fields []byte, s *aggregator.FeedState) error {
	s.Due, s.Items = head.due.time(), head.items
	for r := readFields(fields); r.more(); {
		f, err := r.next()
		if err != nil {
			return err
		}
		setState(s, f)
	}
	return nil
}

// setState sets a field of the state. Numbers that a later version writes are passed over.
func setState(s *aggregator.FeedState, f field) {
	switch f.number {
	case etagField:
		s.Validators.ETag = f.text
	case lastModifiedField:
		s.Validators.LastModified = f.text
	case bodyHashField:
		copy(s.BodyHash[:], f.text)
	case titleField:
		s.Title = f.text
	case linkField:
		s.Link = f.text
	case languageField:
		s.Language = f.text
	case documentIDField:
		s.DocumentID = f.text
	case rightsField:
		s.Rights = f.text
	case lastSuccessField:
		s.LastSuccess = f.time()
	case lastNewField:
		s.LastNew = f.time()
	case lastWholeField:
		s.LastWhole = f.time()
	case lastChangeField:
		s.LastChange = f.time()
	case failuresField:
		s.Failures = int(f.n)
	case restlessField:
		s.Restless = int(f.n)
	case historyField: // as it was written once
		s.History = historyIn(f.text)
	case pastPollsField:
		s.History = pastPollsIn(f.raw)
	case movedToField:
		s.MovedTo = f.text
	case moveTargetField:
		s.Move.Target = f.text
	case moveSinceField:
		s.Move.Since = f.time()
	case movePollsField:
		s.Move.Polls = int(f.n)
	case moveRefusedField:
		s.Move.Refused = f.text
	default:
		setLastPoll(&s.LastPoll, f)
		setPace(&s.Pace, f)
	}
}

func setLastPoll(r *aggregator.PollRecord, f field) {
	switch f.number {
	case pollAtField:
		r.At = f.time()
	case pollDurationField:
		r.Duration = time.Duration(f.n)
	case pollOutcomeField:
		r.Outcome = aggregator.Outcome(f.text)
	case pollStatusField:
		r.Status = int(f.n)
	case pollBytesField:
		r.Bytes = f.n
	case pollErrorField:
		r.Error = f.text
	case pollRepairField:
		r.Repairs = append(r.Repairs, f.text)
	case pollListedField:
		r.Listed = int(f.n)
	case pollNewField:
		r.New = int(f.n)
	case pollChangedField:
		r.Changed = int(f.n)
	case pollTooOldField:
		r.TooOld = int(f.n)
	}
}

func setPace(p *aggregator.Pace, f field) {
	h, r := &p.Hints, &p.Rhythm
	switch f.number {
	case freshUntilField:
		h.FreshUntil = f.time()
	case ttlField:
		h.TTL = time.Duration(f.n)
	case updatePeriodField:
		h.UpdatePeriod = time.Duration(f.n)
	case updateBaseField:
		h.UpdateBase = f.time()
	case skipHoursField:
		h.SkipHours = uint32(f.n)
	case skipDaysField:
		h.SkipDays = uint8(f.n)
	case rhythmSeenField:
		r.Seen = f.time()
	case rhythmLatestField:
		r.Latest = f.time()
	case rhythmField:
		setCounts(r, f.raw)
	case rhythmCountsField: // as it was written once
		var b [4 * rhythmCounts]byte
		copy(b[:], f.text)
		for i, n := range countsOf(r) {
			*n = math.Float32frombits(binary.BigEndian.Uint32(b[4*i:]))
		}
	case rhythmFillField:
		r.Fill = time.Duration(f.n)
	case notBeforeField:
		p.NotBefore = f.time()
	case throttledField:
		p.Throttled = int(f.n)
	case goneField:
		p.Gone = f.time()
	case stoppedField:
		p.Stopped = f.text
	}
}
