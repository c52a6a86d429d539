//go:build race

package specimen

// Slowness is how much longer everything may take under the race detector.
const Slowness = 20
