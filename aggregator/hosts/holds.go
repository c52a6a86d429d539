package hosts

import "time"

// maxHolds bounds how many tenants are held at once.
const maxHolds = 1 << 16

// holds are the times before which tenants are left alone.
type holds map[string]time.Time

// set holds the tenant until the given time, unless it is held for longer.
func (l holds) set(tenant string, until, now time.Time) {
	if !until.After(now) || !until.After(l[tenant]) {
		return
	}
	if _, there := l[tenant]; !there && len(l) > 0 && len(l)&(len(l)-1) == 0 {
		// Looking at all of them at each doubling costs each little, and keeps those that are over from being most.
		l.drop(now)
	}
	l[tenant] = until
}

// drop removes those that are over, and where there are still too many, the one that is over first.
func (l holds) drop(now time.Time) {
	var first string
	for tenant, until := range l {
		if !until.After(now) {
			delete(l, tenant)
		} else if first == "" || until.Before(l[first]) {
			first = tenant
		}
	}
	if len(l) >= maxHolds {
		delete(l, first)
	}
}
