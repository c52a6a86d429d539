package main_test

import (
	"net/http"
	"path/filepath"
	"testing"
)

// What was published under a topic's id once is remembered from start to start.
func TestTopicsThatAreRenamedOrTakenOut(t *testing.T) {
	const config = "listen: 127.0.0.1:0\nbase_url: https://wire.example.org\ntopics: "
	wd := workdir(t, config+"[{id: cloud, query: cloud}, {id: law, query: law}, {id: net, query: net}]\n")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	d := start(t, wd, "serve")
	check := func(want map[string]int) {
		t.Helper()
		for path, status := range want {
			resp, err := client.Get(d.url + path)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != status {
				t.Errorf("GET %s: %d, want %d", path, resp.StatusCode, status)
			}
		}
	}
	check(map[string]int{"/topics/cloud.atom": 200, "/topics/law.atom": 200, "/topics/clouds.atom": 404})
	for _, round := range []struct {
		topics string
		want   map[string]int
	}{
		{"[{id: clouds, formerly: [cloud], query: cloud}, {id: net, query: net}]", map[string]int{
			"/topics/cloud.atom": 301, "/topics/clouds.atom": 200, "/topics/law.atom": 410, "/topics/law": 410, "/topics/net.rss": 200, "/topics/sea.atom": 404,
		}},
		{"[{id: clouds, query: cloud}, {id: law, query: law}]", map[string]int{
			"/topics/cloud.atom": 410, "/topics/clouds.atom": 200, "/topics/law.atom": 200, "/topics/net.rss": 410,
		}},
	} {
		d.stop(t)
		writeFile(t, filepath.Join(wd, "config.yaml"), config+round.topics+"\n")
		d = start(t, wd, "serve")
		check(round.want)
	}
	d.stop(t)
}
