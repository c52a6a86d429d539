package quickzstd_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/topicwire/topicwire/storage/bolt/quickzstd"
)

// news is a text of so many bytes of words, the common ones far more often than the rare ones, in paragraphs with links.
func news(size int) []byte {
	rnd := rand.New(rand.NewPCG(1, 1))
	words := make([]string, 5000)
	for i := range words {
		for range 1 + rnd.IntN(4) {
			words[i] += string("bcdfghlmnprstvw"[rnd.IntN(15)]) + string("aeiou"[rnd.IntN(5)])
		}
	}
	common := rand.NewZipf(rnd, 1.1, 8, uint64(len(words)-1))
	var b bytes.Buffer
	for b.Len() < size {
		b.WriteString("<p>")
		for range 40 {
			b.WriteString(words[common.Uint64()] + " ")
		}
		fmt.Fprintf(&b, "<a href=\"https://news.example/%s/%d\">%s</a></p>\n", words[common.Uint64()], rnd.IntN(1e6), words[common.Uint64()])
	}
	return b.Bytes()[:size]
}

// noise is what has nothing in common with itself, of the given kinds of bytes.
func noise(size, kinds int) []byte {
	rnd := rand.New(rand.NewPCG(2, uint64(kinds)))
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(rnd.IntN(kinds))
	}
	return b
}

// program makes a text of instructions: of each three bytes the first says whether the other two are literals or how far
// back what comes next was, and how long it is.
func program(code []byte) []byte {
	text := bytes.Repeat([]byte("0123456789abcdef"), 2)
	for ; len(code) >= 3 && len(text) < quickzstd.MaxSize; code = code[3:] {
		way := int(code[1])<<(code[0]>>5) + 1
		if code[0]&1 == 0 || way > len(text) {
			text = append(text, code[1:3]...)
			continue
		}
		for range 1 + int(code[2])<<(code[0]>>1&7) {
			text = append(text, text[len(text)-way])
		}
	}
	for len(text) < quickzstd.MinSize {
		text = append(text, byte(len(text)*len(text)>>3))
	}
	return text[:min(len(text), quickzstd.MaxSize)]
}

// checkRead has a decoder read what an encoder makes of a text, and gives how long that is.
func checkRead(t *testing.T, d *zstd.Decoder, e *quickzstd.Encoder, text []byte) int {
	t.Helper()
	frame := e.Append([]byte("before"), text)
	if string(frame[:6]) != "before" {
		t.Fatal("what was there before was changed")
	}
	frame = frame[6:]
	got, err := d.DecodeAll(frame, nil)
	if err != nil || !bytes.Equal(got, text) {
		t.Fatalf("a frame of %d bytes of a text of %d: %v, the text is another one: %v", len(frame), len(text), err, !bytes.Equal(got, text))
	}
	if len(frame) > len(text)+quickzstd.Overhead {
		t.Errorf("%d bytes became %d", len(text), len(frame))
	}
	return len(frame)
}

// checkAlike has another encoder make the same of a text.
func checkAlike(t *testing.T, e *quickzstd.Encoder, text []byte) {
	t.Helper()
	if !bytes.Equal(e.Append(nil, text), quickzstd.NewEncoder().Append(nil, text)) {
		t.Error("the frame depends on what was encoded before")
	}
}

func newDecoder(t testing.TB) *zstd.Decoder {
	t.Helper()
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func TestFramesAreReadBack(t *testing.T) {
	least, most := quickzstd.MinSize, quickzstd.MaxSize
	far := append(append(news(40_000), noise(20_000, 256)...), news(5000)...)
	d, e := newDecoder(t), quickzstd.NewEncoder()
	for _, c := range []struct {
		name string
		text []byte
		// atMost is how long the frame is at most, as a share of the text.
		atMost float64
	}{
		{"shortest", news(least), 0.9},
		{"few literals", append(bytes.Repeat([]byte("news of the day "), 40), "."...), 0.2},
		{"one stream", news(1200), 0.7},
		{"poll", news(40_000), 0.4},
		{"longest", news(most), 0.4},
		{"zeros", make([]byte, most), 0.002},
		{"zeros, shortest", make([]byte, least), 0.4},
		{"two letters", noise(most, 2), 0.3},
		{"digits, shortest", noise(least, 10), 0.9},
		{"digits", noise(most, 10), 0.6},
		{"noise", noise(most, 256), 1.001},
		{"noise, shortest", noise(least, 256), 1.06},
		{"one other letter at the end", append(bytes.Repeat([]byte("a"), 3000), 'b'), 0.04},
		{"literals of one kind", bytes.Replace(bytes.Repeat([]byte("abcdefghijklmnop"), 500), []byte("p"), []byte("pppppppppppp"), 60), 0.1},
		{"from far back", far, 0.75},
		{"noise twice", bytes.Repeat(noise(2000, 256), 2), 0.55},
		{"noise in front of what is alike", append(noise(3000, 256), bytes.Repeat([]byte("x"), 30_000)...), 0.11},
	} {
		t.Run(c.name, func(t *testing.T) {
			if n := checkRead(t, d, e, c.text); float64(n) > c.atMost*float64(len(c.text)) {
				t.Errorf("%d bytes became %d", len(c.text), n)
			}
			checkAlike(t, e, c.text)
		})
	}
}

// Where the code of a length or the form of a section changes, and around it.
func TestFramesAtTheBoundsOfCodesAndSections(t *testing.T) {
	d, e := newDecoder(t), quickzstd.NewEncoder()
	check := func(parts ...[]byte) {
		t.Helper()
		if text := bytes.Join(parts, nil); len(text) >= quickzstd.MinSize && len(text) <= quickzstd.MaxSize {
			checkRead(t, d, e, text)
		}
	}
	bounds := []int{
		1, 16, 31, 32, 63, 64, 127, 128, 255, 256, 1023, 1024, 4095, 4096, 16383, 16384, 32767, 32768, 65278, 65533, 65534, 65535,
	}
	for _, kinds := range []int{1, 2, 30, 256} {
		for _, n := range bounds {
			front := noise(n, kinds)
			check(front)
			for _, m := range bounds {
				check(front, bytes.Repeat([]byte{255}, m))
				check(front, bytes.Repeat([]byte{254}, m), noise(17, 256))
				check(front, front[max(0, n-m):])
				check(front, front[:min(n, m)], []byte("."))
			}
		}
	}
}

func TestFramesOfAnyNumberOfSequences(t *testing.T) {
	d, e := newDecoder(t), quickzstd.NewEncoder()
	for _, each := range []string{"0123456789abcdef", strings.Repeat("0123456789abcdef", 13)} {
		text := []byte(each)
		for n := 1; len(text) < quickzstd.MaxSize-len(each)-2; n++ {
			text = append(append(text, byte(n), byte(n>>8)), each...)
			if len(text) >= quickzstd.MinSize && (n < 300 || n%100 == 0) {
				checkRead(t, d, e, text)
			}
		}
	}
}

func TestFramesOfSequencesThatTakeMostBits(t *testing.T) {
	d, e := newDecoder(t), quickzstd.NewEncoder()
	twice, zeros := noise(40, 200), make([]byte, 9000)
	for n := range 30 { // Many literals, a long match and a long way back, in one sequence between others.
		checkRead(t, d, e, slices.Concat(twice, zeros, twice, noise(20_000, 256), zeros, news(3000+n)))
	}
	source := noise(20_000, 200)
	text := slices.Concat(source, make([]byte, 15_000))
	for n := range 140 { // Many such sequences: the blocks that the text begins with, in another order.
		at := n * 61 % 140 * 140
		text = append(append(text, source[at:at+140]...), 255)
	}
	checkRead(t, d, e, text)
	checkRead(t, d, e, bytes.Repeat([]byte("ab"), 200)) // The first match is as early as one can be, and not one back.
}

// Against the library at its fastest, without a dictionary.
func TestFramesAreAboutAsLongAsTheLibrarys(t *testing.T) {
	library, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(true))
	if err != nil {
		t.Fatal(err)
	}
	text := news(50_000)
	ours, theirs := len(quickzstd.NewEncoder().Append(nil, text)), len(library.EncodeAll(text, nil))
	if ours > theirs*103/100 {
		t.Errorf("%d bytes, the library makes %d", ours, theirs)
	}
}

func TestAppendRefusesWhatNoFrameIsMadeOf(t *testing.T) {
	for _, n := range []int{0, quickzstd.MinSize - 1, quickzstd.MaxSize + 1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a frame of %d bytes", n)
				}
			}()
			quickzstd.NewEncoder().Append(nil, make([]byte, n))
		}()
	}
}

func FuzzAppend(f *testing.F) {
	f.Add([]byte("\x01\x08\x40\x00ab\x61\xff\xff\xe1\x10\x03"))
	f.Add(news(2000))
	f.Add(noise(500, 256))
	d, e := newDecoder(f), quickzstd.NewEncoder()
	f.Fuzz(func(t *testing.T, b []byte) {
		text := program(b)
		checkRead(t, d, e, text)
		checkAlike(t, e, text)
		if len(b) >= quickzstd.MinSize && len(b) <= quickzstd.MaxSize {
			checkRead(t, d, e, b)
		}
	})
}

// BenchmarkAppend makes frames of news, as this package and as the library at its fastest makes them.
func BenchmarkAppend(b *testing.B) {
	text := news(48 << 10)
	e := quickzstd.NewEncoder()
	library, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(true), zstd.WithEncoderConcurrency(1))
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		frame func(dst []byte) []byte
	}{
		{"quickzstd", func(dst []byte) []byte { return e.Append(dst, text) }},
		{"library", func(dst []byte) []byte { return library.EncodeAll(text, dst) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			var frame []byte
			for b.Loop() {
				frame = c.frame(frame[:0])
			}
			b.ReportMetric(float64(len(frame))/float64(len(text)), "of-the-text")
		})
	}
}
