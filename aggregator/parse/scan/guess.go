package scan

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gogs/chardet"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// guess says what encoding a body is in that nothing else tells, windows-1252 where there is no telling.
//
// The detector (ICU's, with its tables) counts how often the letter sequences of a language occur, which takes more text than a few titles have,
// and takes an ISO encoding and the Windows one that has grown out of it for the same. So what it says is weighed
// together with what the text looks like when it is decoded: whether its letters are those of the languages that the
// encoding is for, and whether capitals are where capitals are.
func guess(body []byte) (encoding.Encoding, string) {
	sample := foreignText(body)
	confidence := make(map[string]int)
	// An error means that nothing was found.
	found, _ := chardet.NewTextDetector().DetectAll(sample)
	for _, r := range found {
		name := strings.ToLower(strings.TrimSuffix(r.Charset, "-I"))
		confidence[name] = max(confidence[name], r.Confidence)
	}
	best, bestScore := &candidates[0], -1000
	for i := range candidates {
		c := &candidates[i]
		if score := max(confidence[c.name], confidence[c.twin]) + c.likeness(sample); score > bestScore {
			best, bestScore = c, score
		}
	}
	return best.enc, best.name
}

// candidate is an encoding that is guessed at.
type candidate struct {
	name string
	enc  encoding.Encoding
	// twin is another encoding that the detector may take it for.
	twin string
	// letters are the small letters of the languages that it is for, one text for each language: a letter of none counts
	// against it, and so do those of different languages. Where there are none it is for East Asia, and weight tells.
	letters []string
	weight  func(rune) int
}

var (
	western = []string{
		"äöüß", "àâæçéèêëîïôœùûüÿ", "áéíñóúü", "àáâãçéêíóôõúü", "àèéìíòóùú", "åäöæøéü", "éëïöüèêó", "àçèéíïòóúü", "áðéíóúýþæö",
	}
	central  = []string{"ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîşţ", "čćđšž"}
	turkish  = []string{"çğıiöşüâîû"}
	greek    = []string{"αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ"}
	russian  = []string{"абвгдежзийклмнопрстуфхцчшщъыьэюяё"}
	cyrillic = []string{russian[0], "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя", "абвгдежзиѕјклљмнњопрстћуфхцчџшђѓќ", "абвгдеёжзійклмнопрстуўфхцчшыьэюя"}
	arabic   = []string{"ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيپچژگ"}
	hebrew   = []string{"אבגדהוזחטיךכלםמןנסעףפץצקרשת"}
)

// candidates are in the order in which they win where they are equal.
var candidates = [...]candidate{
	{"windows-1252", charmap.Windows1252, "iso-8859-1", western, nil},
	{"windows-1251", charmap.Windows1251, "", cyrillic, nil},
	{"koi8-r", charmap.KOI8R, "", russian, nil},
	{"windows-1250", charmap.Windows1250, "iso-8859-2", central, nil},
	{"iso-8859-2", charmap.ISO8859_2, "windows-1250", central, nil},
	{"windows-1253", charmap.Windows1253, "iso-8859-7", greek, nil},
	{"iso-8859-7", charmap.ISO8859_7, "windows-1253", greek, nil},
	{"windows-1254", charmap.Windows1254, "iso-8859-9", turkish, nil},
	{"windows-1256", charmap.Windows1256, "", arabic, nil},
	{"iso-8859-6", charmap.ISO8859_6, "", arabic, nil},
	{"windows-1255", charmap.Windows1255, "iso-8859-8", hebrew, nil},
	{"iso-8859-5", charmap.ISO8859_5, "", russian, nil},
	{"shift_jis", japanese.ShiftJIS, "", nil, japaneseWeight},
	{"euc-jp", japanese.EUCJP, "", nil, japaneseWeight},
	{"euc-kr", korean.EUCKR, "", nil, koreanWeight},
	{"gb18030", simplifiedchinese.GB18030, "", nil, chineseWeight},
	{"big5", traditionalchinese.Big5, "", nil, chineseWeight},
}

// foreignText is about 4 KB of the body's texts that are not in ASCII alone, without markup.
func foreignText(body []byte) []byte {
	const most = 4 << 10
	var sample []byte
	for len(body) > 0 && len(sample) < most {
		end := bytes.IndexAny(body, "<>\n")
		if end < 0 {
			end = len(body)
		}
		if run := body[:min(end, most)]; !isASCII(run) {
			sample = append(append(sample, run...), ' ')
		}
		body = body[min(end+1, len(body)):]
	}
	return sample
}

// likeness says how much the sample looks like text in the encoding, from about -100 to 100: the mean over the characters
// that are not in ASCII, for the language that it fits best.
func (c *candidate) likeness(sample []byte) int {
	text, err := c.enc.NewDecoder().String(string(sample))
	if err != nil {
		return -1000
	}
	if c.weight != nil {
		return meanWeight(text, func(_, r rune) int { return c.weight(r) })
	}
	best := -1000
	for _, letters := range c.letters {
		first, _ := utf8.DecodeRuneInString(letters)
		latin := unicode.Is(unicode.Latin, first)
		best = max(best, meanWeight(text, func(previous, r rune) int { return letterWeight(letters, latin, previous, r) }))
	}
	return best
}

func meanWeight(text string, weight func(previous, r rune) int) int {
	sum, seen := 0, 0
	previous := ' '
	for _, r := range text {
		switch {
		case r < utf8.RuneSelf:
		case r == utf8.RuneError || r < 0xA0:
			seen++
			sum -= 300
		case strings.ContainsRune("\u00a0«»“”„‘’–—…€©®°№¿¡·", r):
			seen++
			sum += 50
		default:
			seen++
			sum += weight(previous, r)
		}
		previous = r
	}
	return sum / max(seen, 1)
}

// letterWeight says how well a letter of the language fits behind another. Words do not mix scripts, nor have they
// capitals behind small letters.
func letterWeight(letters string, latin bool, previous, r rune) int {
	lower := unicode.ToLower(r)
	switch {
	case !strings.ContainsRune(letters, lower), r != lower && unicode.IsLower(previous), !latin && isASCIILetter(previous):
		return -150
	case r != lower:
		return 70
	}
	return 100
}

func isASCIILetter(r rune) bool { return r|0x20 >= 'a' && r|0x20 <= 'z' }

func japaneseWeight(r rune) int {
	switch {
	case r >= 0x3041 && r <= 0x30FF:
		return 120
	case r >= 0x4E00 && r <= 0x9FFF:
		return 50
	case r >= 0x3000 && r <= 0x303F, r >= 0xFF01 && r <= 0xFF5E:
		return 50
	}
	// Half-width katakana are what anything else looks like in Shift_JIS.
	return -100
}

func koreanWeight(r rune) int {
	switch {
	case r >= 0xAC00 && r <= 0xD7A3:
		return 100
	case r >= 0x4E00 && r <= 0x9FFF:
		return -20
	}
	return -50
}

// chineseWeight likes the ideographs, and most those that make up much of any text in either script.
func chineseWeight(r rune) int {
	switch r {
	case '的', '一', '是', '不', '了', '在', '人', '有', '我', '他', '这', '這', '中', '大', '来', '來', '上', '国', '國', '个', '個',
		'到', '说', '說', '们', '們', '为', '為', '和', '你', '地', '出', '年', '日', '时', '時', '，', '。', '、':
		return 250
	}
	switch {
	case r >= 0x4E00 && r <= 0x9FFF:
		return 60
	case r >= 0x3001 && r <= 0x3011, r >= 0xFF01 && r <= 0xFF5E:
		return 60
	}
	return -100
}
