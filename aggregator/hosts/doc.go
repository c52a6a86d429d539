// Package hosts keeps an aggregator from asking a host too much at once, and keeps a slow host from holding up the others.
//
// A feed's schedule says when the feed may be polled; this says when its host may be asked. A Key tells hosts apart, from
// the URL alone: feeds whose names lead to the same servers should share a limit, and the nearest that a name tells is the
// domain that a registry gave out. Names of different domains may lead to one address: who polls takes those together in a
// queue of their own, by address, with a higher limit, since the addresses of the great delivery networks serve a large
// part of the web.
//
// A Queue is the waiting room between who finds out which feeds are due and the workers who poll them. Push puts an item
// behind the others of its host. Pop takes the next one whose host may be asked, taking turns among the hosts, and never
// waits: a worker that asks is free for whatever host has room. Done gives the place back. Hold leaves a host alone for a
// while, because it asked for that (429, 503 with Retry-After).
//
//	due feeds --Push--> [ a row for each host ] --Pop--> workers --Done-->
//	            |                                 |
//	            +-- "not before T" <--------------+
//
// What is pushed is usually leased and must not wait for long. So the queue takes only what its host is expected to get to
// within Limits.Park, by the delay and by how long its requests have lasted lately. The rest it refuses with a time, which
// is different for each, a request's time apart: so ten thousand feeds of one host, due at once, are each put off once, to
// a time at which the host can take them, instead of being leased and given back again and again. An item that has waited
// in vain is given back by Pop in the same way.
//
// There are no goroutines and no timers here: time is an argument. A host is remembered only while it has items, requests
// or a time to be remembered for; so memory follows what is under way, and not how many hosts there are. A call costs well
// below a microsecond, whatever is in the queue.
//
// What is known here is one process's own. Holds do not outlast it: the feeds that were put off by one have that in their
// due times.
package hosts
