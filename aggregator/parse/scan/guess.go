package scan

import (
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// guess says what encoding a body is in that nothing else tells, windows-1252 where there is no telling. It decodes
// the parts of the body that are not ASCII with each candidate and takes the one whose result looks most like text
// of the language that the encoding is for.
func guess(body []byte) (encoding.Encoding, string) {
	sample := highSample(body)
	best, bestName, bestScore := encoding.Encoding(charmap.Windows1252), "windows-1252", scoreOf(sample, charmap.Windows1252, latinWeight)
	for _, c := range [...]struct {
		name   string
		enc    encoding.Encoding
		weight func(rune) int
	}{
		{"windows-1251", charmap.Windows1251, cyrillicWeight},
		{"koi8-r", charmap.KOI8R, cyrillicWeight},
		{"shift_jis", japanese.ShiftJIS, japaneseWeight},
		{"euc-jp", japanese.EUCJP, japaneseWeight},
		{"euc-kr", korean.EUCKR, koreanWeight},
		{"gb18030", simplifiedchinese.GB18030, chineseWeight},
		{"big5", traditionalchinese.Big5, chineseWeight},
	} {
		if score := scoreOf(sample, c.enc, c.weight); score > bestScore {
			best, bestName, bestScore = c.enc, c.name, score
		}
	}
	return best, bestName
}

// highSample is up to 16 KB of the body around its bytes beyond ASCII: each run of them with the ASCII byte before
// and the two after it, which tell a lone accent in a word from a run of foreign letters.
func highSample(body []byte) []byte {
	var sample []byte
	for i := 0; i < len(body) && len(sample) < 16<<10; i++ {
		if body[i] < utf8.RuneSelf {
			continue
		}
		start := max(i-1, 0)
		for i < len(body) && (body[i] >= utf8.RuneSelf || i+1 < len(body) && body[i+1] >= utf8.RuneSelf) && i-start < 4096 {
			i++
		}
		sample = append(sample, body[start:min(i+2, len(body))]...)
		sample = append(sample, ' ')
	}
	return sample
}

// scoreOf is the mean weight of the characters beyond ASCII that the sample decodes to, in hundredths; a character
// that cannot be decoded weighs heavily against the encoding.
func scoreOf(sample []byte, enc encoding.Encoding, weight func(rune) int) int {
	text, err := enc.NewDecoder().Bytes(sample)
	if err != nil {
		return -1000
	}
	sum, seen := 0, 0
	latin := enc == charmap.Windows1252
	previous := ' '
	for _, r := range string(text) {
		// Accents are in words that are ASCII otherwise; the letters of other scripts are among themselves.
		mixed := isASCIILetter(previous) && r >= utf8.RuneSelf || previous >= utf8.RuneSelf && isASCIILetter(r)
		previous = r
		switch {
		case mixed && latin:
			sum += 2
		case mixed:
			sum -= 8
		}
		if r < utf8.RuneSelf {
			continue
		}
		seen++
		if r == utf8.RuneError {
			sum -= 30
			continue
		}
		sum += weight(r)
	}
	if seen == 0 {
		return 0
	}
	return sum * 100 / seen
}

func isASCIILetter(r rune) bool { return r|0x20 >= 'a' && r|0x20 <= 'z' }

// latinWeight likes the letters and the quotation marks of Western Europe.
func latinWeight(r rune) int {
	switch {
	case r >= 0xE0 && r <= 0xFF && r != 0xF7:
		return 5
	case r >= 0x2013 && r <= 0x2026, r == 0xA0, r == 0xAB, r == 0xBB, r == 0x20AC, r == 0xA9, r == 0xAE, r == 0xB0:
		return 5
	case r >= 0xC0 && r <= 0xDF && r != 0xD7:
		return 3
	case r >= 0xA1 && r <= 0xBF:
		return 1
	}
	return -5
}

// cyrillicWeight likes the common small letters; the two Cyrillic encodings differ in their place.
func cyrillicWeight(r rune) int {
	switch {
	case r >= 'а' && r <= 'я':
		switch r {
		case 'о', 'е', 'а', 'и', 'н', 'т', 'с', 'р', 'в', 'л':
			return 9
		}
		return 5
	case r >= 'А' && r <= 'Я':
		return 2
	case r >= 0x400 && r <= 0x45F, r == '«', r == '»', r == '–', r == '—':
		return 3
	}
	return -10
}

func japaneseWeight(r rune) int {
	switch {
	case r >= 0x3041 && r <= 0x30FF:
		return 12
	case r >= 0x4E00 && r <= 0x9FFF:
		return 5
	case r >= 0x3000 && r <= 0x303F, r >= 0xFF01 && r <= 0xFF5E:
		return 5
	}
	// Half-width katakana are what anything else looks like in Shift_JIS.
	return -10
}

func koreanWeight(r rune) int {
	switch {
	case r >= 0xAC00 && r <= 0xD7A3:
		return 10
	case r >= 0x4E00 && r <= 0x9FFF:
		return -2
	}
	return -5
}

// chineseWeight likes the ideographs, and most those that make up much of any text in either script.
func chineseWeight(r rune) int {
	switch r {
	case '的', '一', '是', '不', '了', '在', '人', '有', '我', '他', '这', '這', '中', '大', '来', '來', '上', '国', '國', '个', '個',
		'到', '说', '說', '们', '們', '为', '為', '和', '你', '地', '出', '年', '日', '时', '時', '，', '。', '、':
		return 25
	}
	switch {
	case r >= 0x4E00 && r <= 0x9FFF:
		return 6
	case r >= 0x3001 && r <= 0x3011, r >= 0xFF01 && r <= 0xFF5E:
		return 6
	}
	return -10
}
