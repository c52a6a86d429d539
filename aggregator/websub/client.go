package websub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// client makes the package's requests. It follows no redirect by itself.
type client struct {
	transport http.RoundTripper
	userAgent string
}

// request is one request; body may be nil.
type request struct {
	method, url string
	header      http.Header
	body        []byte
	// keep is how many bytes of the answer's body are wanted.
	keep int64
}

// reply is an answer. RetryAfter is 0 where it does not say.
type reply struct {
	status     int
	body       []byte
	location   string
	retryAfter time.Duration
}

func (r reply) ok() bool { return r.status >= 200 && r.status <= 299 }

var errURL = errors.New("the URL cannot be read")

// do makes a request. Errors do not name the URL, which may be a secret.
func (c *client) do(ctx context.Context, r request) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.method, r.url, bytes.NewReader(r.body))
	if err != nil {
		return reply{}, errURL
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	req.Header.Set("User-Agent", c.userAgent)
	if user := req.URL.User; user != nil {
		password, _ := user.Password()
		req.SetBasicAuth(user.Username(), password)
		req.URL.User = nil
	}
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		if ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return reply{}, fmt.Errorf("no answer within %v", requestTimeout)
		}
		return reply{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, r.keep))
	if err != nil {
		return reply{}, fmt.Errorf("read the answer: %w", err)
	}
	// What is read to its end leaves the connection open for the next request to the same host.
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
	out := reply{status: resp.StatusCode, body: body, location: resp.Header.Get("Location")}
	if seconds, err := strconv.ParseUint(resp.Header.Get("Retry-After"), 10, 31); err == nil {
		out.retryAfter = time.Duration(seconds) * time.Second
	}
	return out, nil
}

// maxHops bounds the redirects of a request to a hub.
const maxHops = 5

// post sends a form to a hub. A hub may have moved: the form is sent again where it says, for a while or for good.
func (c *client) post(ctx context.Context, to string, form url.Values, keep int64) (reply, error) {
	for hop := 0; ; hop++ {
		r, err := c.do(ctx, request{
			method: http.MethodPost, url: to, body: []byte(form.Encode()), keep: keep,
			header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		})
		if err != nil {
			return r, err
		}
		switch r.status {
		case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		default:
			return r, nil
		}
		at, err := url.Parse(to)
		if err != nil {
			return r, errURL
		}
		next, err := at.Parse(r.location)
		switch {
		case err != nil || r.location == "" || next.Scheme != "http" && next.Scheme != "https":
			return r, errors.New("redirected to nowhere")
		case at.Scheme == "https" && next.Scheme == "http":
			return r, errors.New("redirected from https to http, which would show the secret")
		case hop == maxHops:
			return r, fmt.Errorf("redirected more than %d times", maxHops)
		}
		to = next.String()
	}
}

// phrase is an answer in short, for a log.
func (r reply) phrase() string {
	text := "answered " + strconv.Itoa(r.status)
	if line := strings.Join(strings.Fields(strings.ToValidUTF8(string(r.body), "?")), " "); line != "" {
		text += ": " + line[:min(len(line), 200)]
	}
	return text
}
