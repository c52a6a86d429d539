package main_test

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// The peers of the tests of push are processes of their own: this test binary, in another role. What they have to say
// they print, a line of JSON each.

const roleVariable = "TOPICWIRE_TEST_ROLE"

// playRole is what the test binary does instead of testing where it is told to.
func playRole() bool {
	switch os.Getenv(roleVariable) {
	case "subscriber":
		playSubscriber()
	case "hub":
		playHub()
	default:
		return false
	}
	return true
}

// event is a line that a peer prints.
type event struct {
	What string `json:"what"`
	// URL is where the peer listens, Text what it was sent, Signed whether that was signed as it should be.
	URL    string   `json:"url,omitempty"`
	Text   string   `json:"text,omitempty"`
	Type   string   `json:"type,omitempty"`
	Links  []string `json:"links,omitempty"`
	Signed bool     `json:"signed,omitempty"`
}

func say(e event) { _ = json.NewEncoder(os.Stdout).Encode(e) }

// listen begins to serve and says where.
func listen(h http.Handler) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		say(event{What: err.Error()})
		os.Exit(1)
	}
	go func() { _ = http.Serve(listener, h) }()
	at := "http://" + listener.Addr().String() + "/"
	say(event{What: "listening", URL: at})
	return at
}

// playSubscriber subscribes to TOPIC at HUB with SECRET and prints what it is sent. It does not answer a delivery while
// there is a file HOLD. It ends with its standard input.
func playSubscriber() {
	topic, secret := os.Getenv("TOPIC"), os.Getenv("SECRET")
	at := listen(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if r.Method == http.MethodGet {
			if q.Get("hub.mode") != "subscribe" || q.Get("hub.topic") != topic || q.Get("hub.lease_seconds") == "" {
				http.NotFound(w, r)
				return
			}
			fmt.Fprint(w, q.Get("hub.challenge"))
			say(event{What: "asked"})
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if _, err := os.Stat(os.Getenv("HOLD")); err == nil {
			say(event{What: "held"})
			<-r.Context().Done()
			return
		}
		say(event{
			What: "delivery", Text: string(body), Type: r.Header.Get("Content-Type"), Links: r.Header.Values("Link"),
			Signed: hmac.Equal([]byte(r.Header.Get("X-Hub-Signature")), []byte(signature(secret, body))),
		})
	}))
	resp, err := http.PostForm(os.Getenv("HUB"), url.Values{
		"hub.mode": {"subscribe"}, "hub.topic": {topic}, "hub.callback": {at + "callback?a=1"}, "hub.secret": {secret},
	})
	if err != nil {
		say(event{What: err.Error()})
		return
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		say(event{What: "the hub answered " + resp.Status})
		return
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func signature(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// playHub is a hub of the simplest kind: it forgets everything, and asks once.
func playHub() {
	type subscriber struct{ callback, secret string }
	var mu sync.Mutex
	subscribers := make(map[string][]subscriber)
	listen(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		form := r.PostForm
		mu.Lock()
		defer mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
		switch topic := form.Get("hub.topic"); form.Get("hub.mode") {
		case "subscribe":
			callback := form.Get("hub.callback")
			say(event{What: "subscriber", URL: callback, Text: form.Get("hub.secret")})
			subscribers[topic] = append(subscribers[topic], subscriber{callback, form.Get("hub.secret")})
			go func() {
				query := url.Values{"hub.mode": {"subscribe"}, "hub.topic": {topic}, "hub.challenge": {"c"}, "hub.lease_seconds": {"3600"}}
				to := callback + "?" + query.Encode()
				if strings.Contains(callback, "?") {
					to = callback + "&" + query.Encode()
				}
				if resp, err := http.Get(to); err == nil {
					body, _ := io.ReadAll(resp.Body)
					resp.Body.Close()
					say(event{What: "confirmed", URL: topic, Text: string(body)})
				}
			}()
		case "publish":
			for _, topic := range form["hub.topic"] {
				say(event{What: "ping", URL: topic})
				for _, s := range subscribers[topic] {
					go distribute(topic, s.callback, s.secret)
				}
			}
		}
	}))
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// distribute fetches a topic and hands it to a subscriber.
func distribute(topic, callback, secret string) {
	resp, err := http.Get(topic)
	if err != nil {
		say(event{What: err.Error()})
		return
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	kind := resp.Header.Get("Content-Type")
	for try := 0; !sent(callback, kind, secret, body) && try < 20; try++ {
		time.Sleep(time.Second) // as hubs do
	}
}

func sent(callback, kind, secret string, body []byte) bool {
	req, err := http.NewRequest(http.MethodPost, callback, bytes.NewReader(body))
	if err != nil {
		say(event{What: err.Error()})
		return true
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("X-Hub-Signature", signature(secret, body))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode < 500
}

// peer is a process in a role.
type peer struct {
	url    string
	events chan event
	cmd    *exec.Cmd
}

// beginPeer starts a process in a role and waits until it listens.
func beginPeer(t *testing.T, role string, env ...string) *peer {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), append(env, roleVariable+"="+role)...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &peer{events: make(chan event, 1000), cmd: cmd}
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(p.events)
		lines := bufio.NewScanner(stdout)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			var e event
			if json.Unmarshal(lines.Bytes(), &e) == nil {
				p.events <- e
			}
		}
	}()
	t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Process.Kill()
		<-read
		_ = cmd.Wait()
	})
	p.url = p.expect(t, "listening").URL
	return p
}

// expect waits for an event of the kind, and passes over others.
func (p *peer) expect(t *testing.T, what string) event {
	t.Helper()
	return p.await(t, what, func(*event) bool { return true })
}

// delivery waits for one that has the story, and passes over those of earlier states: a hub may be told of one of them
// after somebody has subscribed.
func (p *peer) delivery(t *testing.T, story string) event {
	t.Helper()
	return p.await(t, "delivery", func(e *event) bool { return strings.Contains(e.Text, story) })
}

// await waits for an event of the kind that is the right one.
func (p *peer) await(t *testing.T, what string, right func(*event) bool) event {
	t.Helper()
	late := time.After(60 * time.Second)
	last := "nothing"
	for {
		select {
		case e, ok := <-p.events:
			if !ok {
				t.Fatalf("the process ended before it said %q", what)
			}
			if e.What == what && right(&e) {
				return e
			}
			last = e.What + " " + e.Text
		case <-late:
			t.Fatalf("the process does not say %q as it should; last it said %s", what, last)
		}
	}
}
