//go:build race

package scan_test

// slowness is how much longer everything may take under the race detector.
const slowness = 20
