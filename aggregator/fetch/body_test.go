package fetch_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/topicwire/topicwire/aggregator/fetch"
)

func compress(data []byte, open func(io.Writer) io.WriteCloser) []byte {
	var buf bytes.Buffer
	w := open(&buf)
	_, err := w.Write(data)
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // a bytes.Buffer never fails
	}
	return buf.Bytes()
}

func gzipOf(data []byte) []byte {
	return compress(data, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
}

func zlibOf(data []byte) []byte {
	return compress(data, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })
}

func flateOf(data []byte) []byte {
	return compress(data, func(w io.Writer) io.WriteCloser {
		f, err := flate.NewWriter(w, flate.BestSpeed)
		if err != nil {
			panic(err)
		}
		return f
	})
}

func brotliOf(data []byte) []byte {
	return compress(data, func(w io.Writer) io.WriteCloser { return brotli.NewWriterLevel(w, 3) })
}

func zstdOf(data []byte) []byte {
	return compress(data, func(w io.Writer) io.WriteCloser {
		z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
		if err != nil {
			panic(err)
		}
		return z
	})
}

// encoders are those that a publisher may use, by their label.
var encoders = map[string]func([]byte) []byte{"gzip": gzipOf, "deflate": zlibOf, "br": brotliOf, "zstd": zstdOf}

// encoded serves body under the given Content-Encoding.
func encoded(t testing.TB, label string, body []byte) string {
	return serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if label != "" {
			w.Header()["Content-Encoding"] = strings.Split(label, "|")
		}
		w.Header().Set("Content-Type", "application/rss+xml")
		_, _ = w.Write(body)
	}).URL
}

func TestEncodings(t *testing.T) {
	long := []byte(document + strings.Repeat("<!-- padding -->", 10000))
	wide := []byte("\xff\xfe<\x00r\x00s\x00s\x00/\x00>\x00")
	for name, c := range map[string]struct {
		label      string
		body, want []byte
	}{
		"none":                               {"", long, long},
		"identity":                           {"identity", long, long},
		"gzip":                               {"gzip", gzipOf(long), long},
		"gzip in capitals":                   {" GZip ", gzipOf(long), long},
		"x-gzip":                             {"x-gzip", gzipOf(long), long},
		"gzip in two members":                {"gzip", append(gzipOf(long), gzipOf(long)...), append(bytes.Clone(long), long...)},
		"gzip with padding behind":           {"gzip", append(gzipOf(long), make([]byte, 512)...), long},
		"deflate as specified":               {"deflate", zlibOf(long), long},
		"deflate without its zlib header":    {"deflate", flateOf(long), long},
		"brotli":                             {"br", brotliOf(long), long},
		"zstd":                               {"zstd", zstdOf(long), long},
		"gzip twice":                         {"gzip, gzip", gzipOf(gzipOf(long)), long},
		"stacked, the last undone first":     {"br, gzip", gzipOf(brotliOf(long)), long},
		"stacked over two lines":             {"zstd|gzip", gzipOf(zstdOf(long)), long},
		"gzip twice, labelled once":          {"gzip", gzipOf(gzipOf(long)), long},
		"gzip once, labelled twice":          {"gzip, gzip", gzipOf(long), long},
		"gzip without a label":               {"", gzipOf(long), long},
		"zstd labelled gzip":                 {"gzip", zstdOf(long), long},
		"gzip labelled br":                   {"br", gzipOf(long), long},
		"plain labelled gzip":                {"gzip", long, long},
		"plain labelled deflate":             {"deflate", long, long},
		"plain labelled br":                  {"br", long, long},
		"plain labelled zstd":                {"zstd", long, long},
		"plain labelled with a charset":      {"utf-8", long, long},
		"plain with mark and space, as gzip": {"gzip", []byte("\xef\xbb\xbf\n {\"version\":1}"), []byte("\xef\xbb\xbf\n {\"version\":1}")},
		"UTF-16 labelled gzip":               {"gzip", wide, wide},
		"nothing labelled gzip":              {"gzip", nil, []byte{}},
		"gzip of nothing":                    {"gzip", gzipOf(nil), []byte{}},
		"nothing":                            {"", nil, []byte{}},
	} {
		t.Run(name, func(t *testing.T) {
			c2 := newClient(t, fetch.Options{})
			url := encoded(t, c.label, c.body)
			for range 2 { // the second time with decoders and buffers that were used before
				got := get(t, c2, fetch.Request{URL: url})
				if !bytes.Equal(got.Body, c.want) || got.Body == nil {
					t.Errorf("body of %d bytes, want %d", len(got.Body), len(c.want))
				}
				if got.Bytes != int64(len(c.body)) {
					t.Errorf("counted %d bytes, want %d", got.Bytes, len(c.body))
				}
			}
		})
	}
}

func TestBodiesThatAreRefused(t *testing.T) {
	long := []byte(document + strings.Repeat("<!-- padding -->", 10000))
	half := func(b []byte) []byte { return b[:len(b)/2] }
	damaged := gzipOf(long)
	damaged[len(damaged)-6] ^= 1 // in the checksum
	big := make([]byte, 3<<20)
	wide := compress(make([]byte, 64<<20), func(w io.Writer) io.WriteCloser {
		z, err := zstd.NewWriter(w, zstd.WithWindowSize(32<<20), zstd.WithEncoderConcurrency(1))
		if err != nil {
			panic(err)
		}
		return z
	})
	for name, c := range map[string]struct {
		label string
		body  []byte
		want  string
	}{
		"gzip cut off":                 {"gzip", half(gzipOf(long)), "gzip data ends too early"},
		"deflate cut off":              {"deflate", half(zlibOf(long)), "deflate data ends too early"},
		"raw deflate cut off":          {"deflate", half(flateOf(long)), "raw deflate data ends too early"},
		"brotli cut off":               {"br", half(brotliOf(long)), "br data ends too early"},
		"zstd cut off":                 {"zstd", half(zstdOf(long)), "zstd data ends too early"},
		"a wrong checksum":             {"gzip", damaged, "gzip data is damaged (gzip: invalid checksum)"},
		"noise labelled gzip":          {"gzip", []byte("\x01\x02 noise, more noise \x00"), "gzip data is damaged"},
		"noise labelled br":            {"br", bytes.Repeat([]byte{0xff, 7}, 50), "br data is damaged"},
		"noise labelled zstd":          {"zstd", []byte("\x01\x02noise\x00"), "zstd data is damaged"},
		"an unknown encoding":          {"compress", []byte("\x1f\x9d\x90noise"), `encoded as "compress", which was not asked for`},
		"four layers":                  {"gzip, gzip, gzip, gzip", gzipOf(long), "encoded more than 3 times over"},
		"too big":                      {"", big, "the answer is above the limit fetch.max_body (1 MiB): raise it"},
		"too big as gzip":              {"gzip", gzipOf(big), "above the limit fetch.max_body (1 MiB) when decompressed"},
		"too big as deflate":           {"deflate", zlibOf(big), "when decompressed"},
		"too big as raw deflate":       {"deflate", flateOf(big), "when decompressed"},
		"too big as brotli":            {"br", brotliOf(big), "when decompressed"},
		"too big as zstd":              {"zstd", zstdOf(big), "when decompressed"},
		"too big without a label":      {"", gzipOf(big), "when decompressed"},
		"too big in the inner layer":   {"gzip, gzip", gzipOf(gzipOf(big)), "when decompressed"},
		"too big in the outer layer":   {"br, gzip", gzipOf(big), "when decompressed"},
		"a zstd window that is no use": {"zstd", wide, "zstd data is damaged (window size exceeded)"},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, fetch.Options{MaxBody: 1 << 20})
			failure := fails(t, client, fetch.Request{URL: encoded(t, c.label, c.body)})
			if !strings.Contains(failure.Error(), c.want) {
				t.Errorf("%q does not say %q", failure, c.want)
			}
			if failure.Status != 200 {
				t.Errorf("status %d, want 200", failure.Status)
			}
			// What failed leaves decoders behind that the next answer uses.
			if got := get(t, client, fetch.Request{URL: encoded(t, "gzip", gzipOf(long))}); !bytes.Equal(got.Body, long) {
				t.Error("the next answer is wrong")
			}
		})
	}
}

func TestABodyOfJustTheLimitIsTaken(t *testing.T) {
	limit := bytes.Repeat([]byte("x"), 1<<20)
	c := newClient(t, fetch.Options{MaxBody: 1 << 20})
	for label, encode := range encoders {
		if got := get(t, c, fetch.Request{URL: encoded(t, label, encode(limit))}); !bytes.Equal(got.Body, limit) {
			t.Errorf("%s: %d bytes", label, len(got.Body))
		}
	}
	if got := get(t, c, fetch.Request{URL: encoded(t, "", limit)}); !bytes.Equal(got.Body, limit) {
		t.Errorf("plain: %d bytes", len(got.Body))
	}
}

func TestBombsCostNoMemory(t *testing.T) {
	member := gzipOf(make([]byte, 1<<20))
	endless := serve(t, func(w http.ResponseWriter, r *http.Request) {
		chunk := bytes.Repeat([]byte(" "), 64<<10)
		for r.Context().Err() == nil {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	lying := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(int64(1)<<40))
		_, _ = w.Write([]byte("x"))
	})
	for name, c := range map[string]struct{ url, want string }{
		"2 GiB as 2 MB of gzip":          {encoded(t, "gzip", bytes.Repeat(member, 2048)), "fetch.max_body (16 MiB) when decompressed"},
		"a body that never ends":         {endless.URL, "above the limit fetch.max_body (16 MiB)"},
		"a Content-Length of a tebibyte": {lying.URL, "the answer has 1048576 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, fetch.Options{})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			failure := fails(t, client, fetch.Request{URL: c.url})
			runtime.ReadMemStats(&after)
			if !strings.Contains(failure.Error(), c.want) {
				t.Errorf("%q does not say %q", failure, c.want)
			}
			// A slice that grows to the limit leaves several times as much behind, and the server has its buffers.
			if used := after.TotalAlloc - before.TotalAlloc; used > 160<<20 {
				t.Errorf("allocated %d MiB", used>>20)
			}
		})
	}
}
