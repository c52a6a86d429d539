package scan_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator/parse/scan"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestDocuments compares what Scan makes of each document with its golden file, and holds it to Scan's promises.
func TestDocuments(t *testing.T) {
	for _, tc := range documents {
		t.Run(tc.name, func(t *testing.T) {
			r, err := scan.Scan([]byte(tc.body), tc.contentType, scan.DefaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			check(t, []byte(tc.body), r)
			got := render(tc.why, r)
			path := filepath.Join("testdata", tc.name+".golden")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.why, diff)
			}
		})
	}
}

func render(why string, r *scan.Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "why: %s\nkind: %s\ncharset: %s\n", why, r.Kind, r.Charset)
	for _, repair := range r.Repairs {
		fmt.Fprintf(&b, "repair: %s\n", repair)
	}
	if r.Truncated || r.LeftOut > 0 {
		fmt.Fprintf(&b, "truncated: %v, left out: %d\n", r.Truncated, r.LeftOut)
	}
	for _, item := range r.Items {
		fmt.Fprintf(&b, "item: %s\n", r.Data[item.Start:item.End])
	}
	fmt.Fprintf(&b, "\n%s\n", r.Data)
	return b.String()
}
