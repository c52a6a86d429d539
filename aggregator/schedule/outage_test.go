package schedule_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator/schedule"
)

func TestOutage(t *testing.T) {
	const (
		yes, no = true, false
		second  = time.Second
	)
	type attempts struct {
		hosts   string // one letter each
		reached bool
		apart   time.Duration // from each to the next
	}
	for name, c := range map[string]struct {
		seen []attempts
		want bool
	}{
		"nothing":                                 {nil, no},
		"one host, again and again":               {[]attempts{{"aaaaaaaaaaaa", no, second}}, no},
		"two hosts":                               {[]attempts{{"abababab", no, second}}, no},
		"three and nobody else":                   {[]attempts{{"abc", no, second}}, yes},
		"three of four":                           {[]attempts{{"x", yes, second}, {"abc", no, second}}, no},
		"four of five":                            {[]attempts{{"x", yes, second}, {"abcd", no, second}}, yes},
		"the same that answered before":           {[]attempts{{"abcdef", yes, second}, {"abcdef", no, second}}, yes},
		"a dead tenth among many":                 {[]attempts{{"abcdefghijklmnopqr", yes, second}, {"ABC", no, second}}, no},
		"the dead ones last, with their timeouts": {[]attempts{{"abcdefghijklmnopqr", yes, 100 * time.Millisecond}, {"ABCD", no, 5 * second}}, no},
		"long after the last that answered":       {[]attempts{{"abcdefghijklmnopqr", yes, second}, {"abcd", no, 30 * second}}, yes},
		"one host answers":                        {[]attempts{{"abcdef", no, second}, {"a", yes, second}}, no},
		"the failures before do not count then":   {[]attempts{{"abcdef", no, second}, {"a", yes, second}, {"bc", no, second}}, no},
		"an outage that comes back":               {[]attempts{{"abcdef", no, second}, {"a", yes, second}, {"bcde", no, second}}, yes},
		"a few feeds, a poll each five minutes":   {[]attempts{{"abcd", yes, 5 * time.Minute}, {"abcd", no, 5 * time.Minute}}, yes},
		"a few feeds, two of them dead":           {[]attempts{{"abcd", yes, 5 * time.Minute}, {"ab", no, 5 * time.Minute}}, no},
		"failures hours apart":                    {[]attempts{{"abc", no, 2 * time.Hour}}, no},
	} {
		t.Run(name, func(t *testing.T) {
			var o schedule.Outage
			now, got := added, false
			for _, a := range c.seen {
				for _, host := range a.hosts {
					got = o.Saw(string(host), a.reached, now)
					now = now.Add(a.apart)
				}
			}
			if got != c.want {
				t.Errorf("outage: %t, want %t", got, c.want)
			}
			if down := !o.Since().IsZero(); down != c.want {
				t.Errorf("since %s", o.Since())
			}
		})
	}
}

func TestOutageLetsOnePollThroughAtATime(t *testing.T) {
	var o schedule.Outage
	now := added
	if wait := o.Allow(now); wait != 0 {
		t.Errorf("without an outage a poll waits %s", wait)
	}
	for _, host := range []string{"a", "b", "c"} {
		o.Saw(host, false, now)
	}
	probes := 0
	for range 600 { // ten minutes
		now = now.Add(time.Second)
		if wait := o.Allow(now); wait == 0 {
			probes++
			o.Saw("a", false, now)
		} else if wait > 30*time.Second {
			t.Fatalf("waits %s", wait)
		}
	}
	if probes != 20 {
		t.Errorf("%d polls in ten minutes, want 20", probes)
	}
	if !o.Since().Equal(added) {
		t.Errorf("outage since %s, want %s", o.Since(), added)
	}
	o.Saw("b", true, now)
	for range 10 {
		if wait := o.Allow(now); wait != 0 {
			t.Errorf("after an answer a poll waits %s", wait)
		}
	}
}

func TestOutageOfManyHosts(t *testing.T) {
	// More hosts than its sets have bits, at 100 a second: with a twentieth of them dead none is seen, and a line that
	// breaks is seen within a minute.
	var o schedule.Outage
	now := added
	saw := func(i int, reached bool) bool {
		now = now.Add(10 * time.Millisecond)
		return o.Saw(fmt.Sprintf("host-%d.example", i), reached, now)
	}
	for i := range 50_000 {
		if saw(i, i%20 != 0) {
			t.Fatalf("outage at host %d", i)
		}
	}
	broke := now
	for i := 0; !saw(i, false); i++ {
		if now.Sub(broke) > time.Minute {
			t.Fatal("no outage in a minute")
		}
	}
}

func BenchmarkOutage(b *testing.B) {
	var o schedule.Outage
	now := added
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		now = now.Add(time.Millisecond)
		o.Saw("host.example", i%20 != 0, now)
	}
}
