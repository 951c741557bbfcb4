package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"reflect"
)

// checks counts; a failed check is told at once and does not stop the run.
type checks struct {
	passed, failed int
}

func (c *checks) that(label string, holds bool, detail any) {
	if holds {
		c.passed++
		return
	}
	c.failed++
	fmt.Fprintf(os.Stderr, "FAILED %s: %v\n", label, detail)
}

func (c *checks) equal(label string, got, want any) {
	c.that(label, reflect.DeepEqual(got, want), fmt.Sprintf("\n  got  %v\n  want %v", got, want))
}

// answer is what every typed answer of the generated client offers.
type answer interface {
	StatusCode() int
	GetBody() []byte
}

// whole compares the status and the body as sent, so that a field the typed form
// does not know, or leaves out, is seen too.
func (c *checks) whole(label string, got answer, err error, status int, want string) {
	if err != nil {
		c.that(label, false, err)
		return
	}
	c.equal(label, fmt.Sprint(got.StatusCode(), " ", canonical(got.GetBody())), fmt.Sprint(status, " ", canonical([]byte(want))))
}

// refused wants Kibana's error body.
func (c *checks) refused(label string, got answer, err error, status int, message string) {
	body, _ := json.Marshal(map[string]any{"statusCode": status, "error": http.StatusText(status), "message": message})
	c.whole(label, got, err, status, string(body))
}

// canonical is the same text for the same JSON value, whatever the order of keys.
func canonical(text []byte) string {
	if len(text) == 0 {
		return "(no body)"
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return string(text)
	}
	body, _ := json.Marshal(value)
	return string(body)
}
