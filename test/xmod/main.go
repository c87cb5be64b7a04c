// Command xmod answers the same questions as lambda/golang, out of golang.org/x/mod itself, so that the tests can hold
// one against the other. It reads one JSON request {"fn": name, "args": [...]} a line and writes one JSON answer
// {"ok": value} or {"err": message} a line, in order.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

// A handler answers one named question. Files of this package add theirs to handlers in init.
type handler func(args []json.RawMessage) (any, error)

var handlers = map[string]handler{}

type request struct {
	Fn   string            `json:"fn"`
	Args []json.RawMessage `json:"args"`
}

type answer struct {
	OK  any    `json:"ok"`
	Err string `json:"err,omitempty"`
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer out.Flush()
	decoder, encoder := json.NewDecoder(in), json.NewEncoder(out)
	for decoder.More() {
		var req request
		if err := decoder.Decode(&req); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		if err := encoder.Encode(respond(req)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
}

func respond(req request) (ans answer) {
	defer func() {
		if r := recover(); r != nil {
			ans = answer{Err: fmt.Sprint("panic: ", r)}
		}
	}()
	handle, found := handlers[req.Fn]
	if !found {
		return answer{Err: "no such function: " + req.Fn}
	}
	value, err := handle(req.Args)
	if err != nil {
		return answer{Err: err.Error()}
	}
	return answer{OK: value}
}
