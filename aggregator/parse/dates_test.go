package parse_test

import (
	"encoding/xml"
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // so that names like Asia/Karachi mean the same on every machine

	"github.com/topicwire/topicwire/aggregator/parse"
)

// published parses a feed of one item per date and gives back what was read of each.
func published(t *testing.T, language string, dates ...string) []time.Time {
	t.Helper()
	var b strings.Builder
	b.WriteString(`<rss version="2.0"><channel><title>dates</title><language>` + language + `</language>`)
	for i, d := range dates {
		fmt.Fprintf(&b, "<item><title>%d</title><pubDate>", i)
		if err := xml.EscapeText(&b, []byte(d)); err != nil {
			t.Fatal(err)
		}
		b.WriteString("</pubDate></item>")
	}
	b.WriteString("</channel></rss>")
	doc, err := parse.Parse([]byte(b.String()), parse.Source{URL: "https://feeds.example/rss", Seen: seen})
	if err != nil {
		t.Fatal(err)
	}
	var out []time.Time
	for _, it := range doc.Items {
		out = append(out, it.Published)
	}
	if len(out) != len(dates) {
		t.Fatalf("%d items for %d dates", len(out), len(dates))
	}
	return out
}

// TestDates reads one date at a time, in all the ways in which publishers write it. An empty want is no date.
func TestDates(t *testing.T) {
	for _, tc := range []struct{ in, lang, want string }{
		// RFC 3339 and what is near it.
		{in: "2026-03-09T08:07:06Z", want: "2026-03-09T08:07:06Z"},
		{in: "2026-03-09t08:07:06z", want: "2026-03-09T08:07:06Z"},
		{in: "2026-03-09T08:07:06+05:00", want: "2026-03-09T03:07:06Z"},
		{in: "2026-03-09T08:07:06.250-03:30", want: "2026-03-09T11:37:06.25Z"},
		{in: "2026-03-09T08:07:06,25Z", want: "2026-03-09T08:07:06.25Z"},
		{in: "2026-03-09T08:07:06.123456789Z", want: "2026-03-09T08:07:06.123456789Z"},
		{in: "2026-03-09T08:07:06", want: "2026-03-09T08:07:06Z"},
		{in: "2026-03-09T08:07Z", want: "2026-03-09T08:07:00Z"},
		{in: "2026-03-09T08:07", want: "2026-03-09T08:07:00Z"},
		{in: "2026-03-09T08:07:06+0500", want: "2026-03-09T03:07:06Z"},
		{in: "2026-03-09T08:07:06+05", want: "2026-03-09T03:07:06Z"},
		{in: "2026-03-09T08:07:06 +0500", want: "2026-03-09T03:07:06Z"},
		{in: "2026-03-09T08:07:06:-0700", want: "2026-03-09T15:07:06Z"},
		{in: "2026-03-09T08:07:06:00", want: "2026-03-09T08:07:06Z"},
		{in: "2026-03-09T08:07:06-07:00:00", want: "2026-03-09T15:07:06Z"},
		{in: "2026-03-09T8:7:6Z", want: "2026-03-09T08:07:06Z"},
		{in: "2026-3-9T08:07:06Z", want: "2026-03-09T08:07:06Z"},
		{in: "2026-03-09 08:07:06", want: "2026-03-09T08:07:06Z"},
		{in: "2026-03-09 08:07:06.0", want: "2026-03-09T08:07:06Z"},
		{in: "2026-03-09 08:07:06 -0700", want: "2026-03-09T15:07:06Z"},
		{in: "2026-03-09 08:07:06 UTC", want: "2026-03-09T08:07:06Z"},
		{in: "2026-03-09 08:07:06.5 +0500 PKT", want: "2026-03-09T03:07:06.5Z"},
		{in: "2026-03-09 08:07:06 +0000 UTC m=+0.005", want: "2026-03-09T08:07:06Z"},
		{in: "2026-03-09 at 08:07:06", want: "2026-03-09T08:07:06Z"},
		{in: "2026-03-09 00:00:00.0 08:07:06.0 -0700", want: "2026-03-09T15:07:06Z"},
		{in: "2026-03-09T08:07:06 -00:20", want: "2026-03-09T08:27:06Z"},
		{in: "2026-03-09 08:07:06 - 00:20", want: "2026-03-09T08:27:06Z"},
		{in: "2026-03-09T08:07:06Asia/Karachi", want: "2026-03-09T03:07:06Z"},
		{in: "2026-03-09T08:07:06[UTC]", want: "2026-03-09T08:07:06Z"},
		{in: "2026-03-09", want: "2026-03-09T00:00:00Z"},
		{in: "2026-3-9", want: "2026-03-09T00:00:00Z"},
		{in: "2026-03", want: "2026-03-01T00:00:00Z"},
		{in: "2026", want: "2026-01-01T00:00:00Z"},
		{in: "2026/03/09", want: "2026-03-09T00:00:00Z"},
		{in: "2020/1/10 14:33:00", want: "2020-01-10T14:33:00Z"},
		{in: "2026.03.09 08:07", want: "2026-03-09T08:07:00Z"},
		{in: "2026-068", want: "2026-03-09T00:00:00Z"},
		{in: "2026-W11-1", want: "2026-03-09T00:00:00Z"},
		{in: "03-12-31", want: "2003-12-31T00:00:00Z"},
		{in: "Mon, 2026-03-09 08:07", want: "2026-03-09T08:07:00Z"},
		{in: "Mon, 2026/03/09 08:07:06 EDT", want: "2026-03-09T12:07:06Z"},
		// Digits only.
		{in: "20260309", want: "2026-03-09T00:00:00Z"},
		{in: "20260309T080706Z", want: "2026-03-09T08:07:06Z"},
		{in: "20260309T0807", want: "2026-03-09T08:07:00Z"},
		{in: "20260309T080706+0500", want: "2026-03-09T03:07:06Z"},
		{in: "20260309080706", want: "2026-03-09T08:07:06Z"},
		{in: "1773043626", want: "2026-03-09T08:07:06Z"},
		{in: "1773043626.75", want: "2026-03-09T08:07:06Z"},
		{in: "1773043626000", want: "2026-03-09T08:07:06Z"},
		// RFC 822 and what is near it.
		{in: "Mon, 09 Mar 2026 08:07:06 GMT", want: "2026-03-09T08:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 +0500", want: "2026-03-09T03:07:06Z"},
		{in: "Mon, 9 Mar 2026 08:07:06 +0500", want: "2026-03-09T03:07:06Z"},
		{in: "Mon,9 Mar 2026 08:07:06 +0500", want: "2026-03-09T03:07:06Z"},
		{in: "09 Mar 2026 08:07:06 +0500", want: "2026-03-09T03:07:06Z"},
		{in: "09 Mar 26 08:07 +0500", want: "2026-03-09T03:07:00Z"},
		{in: "Mon, 09 Mar 98 08:07:06 GMT", want: "1998-03-09T08:07:06Z"},
		{in: "Mon, 09 Mar '26 08:07:06 GMT", want: "2026-03-09T08:07:06Z"},
		{in: "Monday, 09-Mar-26 08:07:06 UTC", want: "2026-03-09T08:07:06Z"},
		{in: "Mon, 09-Mar-2026 08:07:06 GMT", want: "2026-03-09T08:07:06Z"},
		{in: "Mon Mar  9 08:07:06 2026", want: "2026-03-09T08:07:06Z"},
		{in: "Mon Mar  9 08:07:06 PST 2026", want: "2026-03-09T16:07:06Z"},
		{in: "Mon Mar 09 08:07:06 +0500 2026", want: "2026-03-09T03:07:06Z"},
		{in: "Mon Mar 09 2026 08:07:06 GMT-0700 (PDT)", want: "2026-03-09T15:07:06Z"},
		{in: "Mon Mar 09 2026 08:07:06 GMT+0500 (Pakistan Standard Time)", want: "2026-03-09T03:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06", want: "2026-03-09T08:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07", want: "2026-03-09T08:07:00Z"},
		{in: "Mon, 09 Mar 2026", want: "2026-03-09T00:00:00Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 Z", want: "2026-03-09T08:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 UT", want: "2026-03-09T08:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 -07", want: "2026-03-09T15:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 -7:00", want: "2026-03-09T15:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 -700", want: "2026-03-09T15:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 --0700", want: "2026-03-09T15:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06-0700", want: "2026-03-09T15:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 +05:00", want: "2026-03-09T03:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 GMT+05:00", want: "2026-03-09T03:07:06Z"},
		{in: "Thu,28 Jul 2022 4:35:5 GMT+9", want: "2022-07-27T19:35:05Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 UTC+5", want: "2026-03-09T03:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 UTC-03:30", want: "2026-03-09T11:37:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 Etc/GMT+5", want: "2026-03-09T13:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 Etc/UTC", want: "2026-03-09T08:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 +0500 PKT", want: "2026-03-09T03:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 PKT+0500", want: "2026-03-09T03:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 -0700 GMT", want: "2026-03-09T15:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 00", want: "2026-03-09T08:07:06Z"},
		{in: "Mon, 09 Mar 2026 08 +0500", want: "2026-03-09T03:00:00Z"},
		{in: "Tues, 10 Sept 2024 08:07:06 GMT", want: "2024-09-10T08:07:06Z"},
		{in: "Thurs, 12 Sep. 2024 08:07:06 GMT", want: "2024-09-12T08:07:06Z"},
		{in: "Fri, 13 September 2024 08:07:06 GMT", want: "2024-09-13T08:07:06Z"},
		{in: "Sat, Dec 16 2023 02:02:33 PM", want: "2023-12-16T14:02:33Z"},
		{in: "Mon, March 9, 2026, 08:07:06 EST", want: "2026-03-09T13:07:06Z"},
		{in: "March 9, 2026 8:07 PM", want: "2026-03-09T20:07:00Z"},
		{in: "March 9th, 2026, 8:07 p.m.", want: "2026-03-09T20:07:00Z"},
		{in: "Mar 9, 2026 12:07:06 AM", want: "2026-03-09T00:07:06Z"},
		{in: "Mar 09 2026 03:04:05PM", want: "2026-03-09T15:04:05Z"},
		{in: "9th of March 2026", want: "2026-03-09T00:00:00Z"},
		{in: "2026 March 09", want: "2026-03-09T00:00:00Z"},
		{in: "March 2026", want: "2026-03-01T00:00:00Z"},
		{in: "Mon, 9 Mar 08:07:06 GMT", want: "2026-03-09T08:07:06Z"},
		{in: "Tue, 1 Dec 08:07:06 GMT", want: "2025-12-01T08:07:06Z"},
		{in: "09 Monday, Mar 2026 08:07", want: "2026-03-09T08:07:00Z"},
		{in: "Mon , 09 Mar 2026 08:07:06 GMT", want: "2026-03-09T08:07:06Z"},
		{in: "Mon, 09 Mar 2026 24:00:00 GMT", want: "2026-03-10T00:00:00Z"},
		{in: "Sat, 31 Dec 2016 23:59:60 GMT", want: "2017-01-01T00:00:00Z"},
		{in: "  Mon, 09 Mar 2026 08:07:06 GMT\n", want: "2026-03-09T08:07:06Z"},
		{in: "Mon,\u00a009 Mar 2026 08:07:06 GMT", want: "2026-03-09T08:07:06Z"},
		{in: "MON, 09 MAR 2026 08:07:06 gmt", want: "2026-03-09T08:07:06Z"},
		// Numbers with a day and a month.
		{in: "31.01.2026 08:07:06", want: "2026-01-31T08:07:06Z"},
		{in: "01.02.2026 08:07", want: "2026-02-01T08:07:00Z"},
		{in: "1.2.2026", want: "2026-02-01T00:00:00Z"},
		{in: "08:07 01.02.2026 -0700", want: "2026-02-01T15:07:00Z"},
		{in: "01.02.2026 -0700", want: "2026-02-01T07:00:00Z"},
		{in: "31/01/2026 - 08:07", want: "2026-01-31T08:07:00Z"},
		{in: "1/31/2026 8:07:06 PM", want: "2026-01-31T20:07:06Z"},
		{in: "1/31/2026 8:07:06 PM EST", want: "2026-02-01T01:07:06Z"},
		{in: "03/04/2025", lang: "en-US", want: "2025-03-04T00:00:00Z"},
		{in: "03/04/2025", lang: "en-GB", want: "2025-04-03T00:00:00Z"},
		{in: "03/04/2025", lang: "fr", want: "2025-04-03T00:00:00Z"},
		{in: "03/12/2025", lang: "en", want: "2025-03-12T00:00:00Z"},
		{in: "05/06/2026", lang: "en-PK", want: "2026-06-05T00:00:00Z"},
		// Zones in letters.
		{in: "Mon, 09 Mar 2026 08:07:06 PKT", want: "2026-03-09T03:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 IST", want: "2026-03-09T02:37:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 IST", lang: "en-IN", want: "2026-03-09T02:37:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 IST", lang: "he", want: "2026-03-09T06:07:06Z"},
		{in: "Wed, 08 Jul 2026 08:07:06 IST", lang: "en-IE", want: "2026-07-08T07:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 CST", want: "2026-03-09T14:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 CST", lang: "zh-CN", want: "2026-03-09T00:07:06Z"},
		{in: "Wed, 08 Jul 2026 08:07:06 BST", want: "2026-07-08T07:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 BST", lang: "bn", want: "2026-03-09T02:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 JST", want: "2026-03-08T23:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 SGT", want: "2026-03-09T00:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 AEST", want: "2026-03-08T22:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 MSK", want: "2026-03-09T05:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 NZDT", want: "2026-03-08T19:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 HST", want: "2026-03-09T18:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 AKST", want: "2026-03-09T17:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 MET", want: "2026-03-09T07:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 CEST", want: "2026-03-09T06:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 NPT", want: "2026-03-09T02:22:06Z"},
		{in: "Tue, 13 Jan 2026 08:07:06 ET", want: "2026-01-13T13:07:06Z"},
		{in: "Mon, 07 Jul 2025 08:07:06 ET", want: "2025-07-07T12:07:06Z"},
		{in: "Mon, 07 Jul 2025 08:07:06 CT", want: "2025-07-07T13:07:06Z"},
		{in: "Mon, 07 Jul 2025 08:07:06 MT", want: "2025-07-07T14:07:06Z"},
		{in: "July 7, 2025 8:07 PM PT", want: "2025-07-08T03:07:00Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 Asia/Karachi", want: "2026-03-09T03:07:06Z"},
		{in: "Mon, 07 Jul 2025 08:07:06 America/New_York", want: "2025-07-07T12:07:06Z"},
		{in: "Mon, 09 Mar 2026 08:07:06 (PKT)", want: "2026-03-09T03:07:06Z"},
		// Months in words, in many languages.
		{in: "mer, 16 nov 2022 00:38:15 +0100", want: "2022-11-15T23:38:15Z"},
		{in: "mar, 15 nov 2022 00:38:15 +0100", lang: "fr", want: "2022-11-14T23:38:15Z"},
		{in: "lun. 9 févr. 2026 08:07", lang: "fr", want: "2026-02-09T08:07:00Z"},
		{in: "Montag, 9. März 2026 - 14:30 Uhr", lang: "de", want: "2026-03-09T14:30:00Z"},
		{in: "Di, 10 Dez 2024 08:07:06 +0100", lang: "de", want: "2024-12-10T07:07:06Z"},
		{in: "9 de marzo de 2026 08:07", lang: "es", want: "2026-03-09T08:07:00Z"},
		{in: "Vie, 13 Ene 2023 08:07:06 -0500", lang: "es", want: "2023-01-13T13:07:06Z"},
		{in: "9 de março de 2026", lang: "pt-BR", want: "2026-03-09T00:00:00Z"},
		{in: "Seg, 5 Fev 2024 08:07:06 -0300", lang: "pt", want: "2024-02-05T11:07:06Z"},
		{in: "mar, 10 giu 2025 08:07:06 +0200", lang: "it", want: "2025-06-10T06:07:06Z"},
		{in: "9 gennaio 2026", lang: "it", want: "2026-01-09T00:00:00Z"},
		{in: "ma 9 mrt 2026 08:07", lang: "nl", want: "2026-03-09T08:07:00Z"},
		{in: "9 maj 2025 kl. 08:07", lang: "sv", want: "2025-05-09T08:07:00Z"},
		{in: "9. joulukuuta 2025", lang: "fi", want: "2025-12-09T00:00:00Z"},
		{in: "9 września 2025, 08:07", lang: "pl", want: "2025-09-09T08:07:00Z"},
		{in: "9 lis 2025", lang: "pl", want: "2025-11-09T00:00:00Z"},
		{in: "9. července 2025 08:07", lang: "cs", want: "2025-07-09T08:07:00Z"},
		{in: "9. listopada 2025.", lang: "hr", want: "2025-10-09T00:00:00Z"},
		{in: "2025. július 9. 08:07", lang: "hu", want: "2025-07-09T08:07:00Z"},
		{in: "2004-július-13T9:15-05:00", lang: "hu", want: "2004-07-13T14:15:00Z"},
		{in: "9 iulie 2025", lang: "ro", want: "2025-07-09T00:00:00Z"},
		{in: "Пн, 9 мар 2026 08:07:06 +0300", lang: "ru", want: "2026-03-09T05:07:06Z"},
		{in: "9 мая 2025 г., 08:07", lang: "ru", want: "2025-05-09T08:07:00Z"},
		{in: "9 лютого 2026", lang: "uk", want: "2026-02-09T00:00:00Z"},
		{in: "Κυρ, 11 Ιούλ 2004 12:00:00 EST", lang: "el", want: "2004-07-11T17:00:00Z"},
		{in: "Δευ, 9 Μαρ 2026 08:07:06 +0200", lang: "el", want: "2026-03-09T06:07:06Z"},
		{in: "9 Ağustos 2025 08:07", lang: "tr", want: "2025-08-09T08:07:00Z"},
		{in: "Sen, 9 Agu 2025 08:07:06 +0700", lang: "id", want: "2025-08-09T01:07:06Z"},
		{in: "2026年3月9日 08:07", lang: "ja", want: "2026-03-09T08:07:00Z"},
		{in: "2026年3月9日 下午 8:07", lang: "zh", want: "2026-03-09T20:07:00Z"},
		{in: "2026年3月9日8時7分", lang: "ja", want: "2026-03-09T08:07:00Z"},
		{in: "2004년 05월 28일  01:31:15", lang: "ko", want: "2004-05-28T01:31:15Z"},
		{in: "2004-05-25 오후 11:23:17", lang: "ko", want: "2004-05-25T23:23:17Z"},
		{in: "9 मार्च 2026", lang: "hi", want: "2026-03-09T00:00:00Z"},
		{in: "০৯ মার্চ ২০২৬", lang: "bn", want: "2026-03-09T00:00:00Z"},
		{in: "9 مارچ 2026", lang: "ur", want: "2026-03-09T00:00:00Z"},
		{in: "٩ مارس ٢٠٢٦ 08:07", lang: "ar", want: "2026-03-09T08:07:00Z"},
		{in: "9 במרץ 2026", lang: "he", want: "2026-03-09T00:00:00Z"},
		{in: "9 มีนาคม 2569", lang: "th", want: "2026-03-09T00:00:00Z"},
		{in: "Thứ Hai, 9 tháng 3, 2026 08:07", lang: "vi", want: "2026-03-09T08:07:00Z"},
		{in: "14h30, 9 mars 2026", lang: "fr", want: "2026-03-09T14:30:00Z"},
		// What is no date, or was never meant as one.
		{in: "yesterday"},
		{in: "5 minutes ago"},
		{in: "-"},
		{in: "0"},
		{in: "0000-00-00 00:00:00"},
		{in: "0001-01-01T00:00:00Z"},
		{in: "1970-01-01T00:00:00Z"},
		{in: "Thu, 01 Jan 1970 00:00:00 GMT"},
		{in: "Tue, 31 Jun 2025 08:07:06 GMT"},
		{in: "2025-02-29"},
		{in: "2025-13-01"},
		{in: "2025-01-01T25:00:00Z"},
		{in: "2025-01-01T10:61:00Z"},
		{in: "Mon, 09 Mar 2026 24:07:06 GMT"},
		{in: "2025-01-01T10:00:00+99:00"},
		{in: "Invalid Date"},
		{in: "NaN/NaN/NaN"},
		{in: "1.2.3"},
		{in: "192.168.10.20"},
		{in: "it is said that on 3 May of 2025 the bill came before the house"},
	} {
		t.Run(tc.in+" "+tc.lang, func(t *testing.T) {
			got := published(t, tc.lang, tc.in)[0]
			if tc.want == "" {
				if !got.IsZero() {
					t.Errorf("read as %s, want no date", got.Format(time.RFC3339Nano))
				}
				return
			}
			want, err := time.Parse(time.RFC3339Nano, tc.want)
			if err != nil {
				t.Fatal(err)
			}
			if !got.Equal(want) || got.Location() != time.UTC {
				t.Errorf("read as %s, want %s", got.Format(time.RFC3339Nano), tc.want)
			}
		})
	}
}

// TestDatesTogether reads dates that are only clear beside the others of their feed.
func TestDatesTogether(t *testing.T) {
	for name, tc := range map[string]struct {
		lang  string
		dates []string
		want  []string
	}{
		"a day over 12 shows the order": {
			dates: []string{"03/04/2025 10:00", "25/03/2025 10:00"}, want: []string{"2025-04-03 10:00", "2025-03-25 10:00"},
		},
		"also against the language": {
			lang:  "fr",
			dates: []string{"03/25/2025", "03/04/2025"}, want: []string{"2025-03-25 00:00", "2025-03-04 00:00"},
		},
		"none is in the future": {
			dates: []string{"03/09/2026", "03/08/2026"}, want: []string{"2026-03-09 00:00", "2026-03-08 00:00"},
		},
		"none is in the future, the other way": {
			lang: "en-US", dates: []string{"09/03/2026", "08/03/2026"}, want: []string{"2026-03-09 00:00", "2026-03-08 00:00"},
		},
		"weekdays tell": {
			lang: "en-US", dates: []string{"Thu, 03/04/2025 10:00"}, want: []string{"2025-04-03 10:00"},
		},
		"newest first tells": {
			dates: []string{"02/03/2025", "12/02/2025", "11/02/2025", "01/02/2025", "12/01/2025"},
			want:  []string{"2025-03-02 00:00", "2025-02-12 00:00", "2025-02-11 00:00", "2025-02-01 00:00", "2025-01-12 00:00"},
		},
		"an offset elsewhere tells what letters mean": {
			dates: []string{"Mon, 09 Mar 2026 08:00:00 IST", "Mon, 09 Mar 2026 07:00:00 +0200"},
			want:  []string{"2026-03-09 06:00", "2026-03-09 05:00"},
		},
		"and again for another zone": {
			dates: []string{"Mon, 09 Mar 2026 08:00:00 CST", "2026-03-09T07:00:00+08:00"},
			want:  []string{"2026-03-09 00:00", "2026-03-08 23:00"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := published(t, tc.lang, tc.dates...)
			for i := range tc.want {
				if g := got[i].Format("2006-01-02 15:04"); g != tc.want[i] {
					t.Errorf("%q read as %s, want %s", tc.dates[i], g, tc.want[i])
				}
			}
		})
	}
}
