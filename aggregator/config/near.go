package config

import (
	"slices"
	"strings"
)

// nearest is the one of the names that is most likely meant by name, empty where none is near. Two slips are
// forgiven in a long name, one in a short one; case and the kind of dash are no slip.
func nearest(name string, names []string) string {
	const longest = 64
	if len(name) > longest {
		return ""
	}
	name = plainName(name)
	best, bestDistance := "", 3
	if len(name) < 5 {
		bestDistance = 2
	}
	for _, candidate := range names {
		if gap := len(candidate) - len(name); gap >= bestDistance || -gap >= bestDistance {
			continue
		}
		if d := distance(name, plainName(candidate)); d < bestDistance && d < len(candidate) {
			best, bestDistance = candidate, d
		}
	}
	return best
}

func plainName(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") }

// distance counts the letters to insert, remove, change or swap with their neighbour to make b of a.
func distance(a, b string) int {
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := slices.Repeat([]int{i}, len(b)+1)
		for j := 1; j <= len(b); j++ {
			change := row[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			next[j] = min(row[j]+1, next[j-1]+1, change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
