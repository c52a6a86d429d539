package fetch

import "net/netip"

// NotPublic is the guard's judgement, so that it can be asked about addresses without connecting to them.
func NotPublic(addr netip.Addr) string { return notPublic(addr) }
