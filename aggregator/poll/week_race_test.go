//go:build race

package poll_test

// weekFeeds is how many feeds the simulated week has: the race detector makes each poll ten times as dear.
const weekFeeds = 2000
