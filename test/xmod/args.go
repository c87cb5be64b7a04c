package main

import "encoding/json"

// str decodes argument i as a string. Arbitrary bytes (not valid UTF-8) travel as base64 in bytes instead.
func str(args []json.RawMessage, i int) string {
	var s string
	if err := json.Unmarshal(args[i], &s); err != nil {
		panic(err)
	}
	return s
}

// raw decodes argument i from base64.
func raw(args []json.RawMessage, i int) []byte {
	var b []byte
	if err := json.Unmarshal(args[i], &b); err != nil {
		panic(err)
	}
	return b
}

// decode decodes argument i as any type.
func decode[T any](args []json.RawMessage, i int) T {
	var v T
	if err := json.Unmarshal(args[i], &v); err != nil {
		panic(err)
	}
	return v
}
