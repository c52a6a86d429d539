package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxProblems bounds a report: a file with more wrong with it than this has one fault many times.
const maxProblems = 1000

// Problem is one thing that is wrong with a config file.
type Problem struct {
	// File is the name of the file as it was given, Line and Column count from 1, Column in characters.
	File         string
	Line, Column int
	// Key is the path of the setting, as in "fetch.timeout" and "feeds[3].url"; lists count from 0. It is empty where
	// the YAML itself is at fault.
	Key string
	// Text says what is wrong and Mend what to do about it. Neither ends with a full stop.
	Text, Mend string
}

// String is "file:line:column: text; mend".
func (p Problem) String() string {
	s := fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Text)
	if p.Mend != "" {
		s += "; " + p.Mend
	}
	return s
}

// Problems are all that is wrong with a config file, sorted by place.
type Problems []Problem

// Error is the problems, one on each line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// place is where something stands in the file, both counted from 1.
type place struct{ line, column int }

// problem notes what is wrong with the setting that is being read.
func (r *reader) problem(at place, text, mend string) { r.problemWith(r.key(), at, text, mend) }

// problemWith notes what is wrong with the setting that key names. The same is noted once, also when aliases lead to
// it many times.
func (r *reader) problemWith(key string, at place, text, mend string) {
	p := Problem{File: r.file, Line: at.line, Column: at.column, Key: key, Text: text, Mend: mend}
	same := fmt.Sprint(at.line, ":", at.column, ":", text)
	if r.reported[same] || len(r.problems) > maxProblems {
		return
	}
	if len(r.problems) == maxProblems {
		p.Text, p.Mend, p.Key = "there are more problems than are shown here", "mend those before and check again", ""
	}
	r.reported[same] = true
	r.problems = append(r.problems, p)
}

// full reports whether further problems would not be noted.
func (r *reader) full() bool { return len(r.problems) > maxProblems }

func (r *reader) sorted() Problems {
	last := len(r.problems)
	if r.full() {
		// The closing remark stays last, whatever its place.
		last--
	}
	slices.SortStableFunc(r.problems[:last], func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return r.problems
}
