//go:build !race

package poll_test

const weekFeeds = 10_000
