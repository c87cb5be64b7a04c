package main

import (
	"encoding/json"
	"time"
)

// revInfo is cmd/go/internal/modfetch.RevInfo as far as it is read from JSON, which nobody outside cmd/go can import.
type revInfo struct {
	Version string
	Time    time.Time
	Origin  *origin `json:",omitempty"`
}

// origin is cmd/go/internal/modfetch/codehost.Origin.
type origin struct {
	VCS       string `json:",omitempty"`
	URL       string `json:",omitempty"`
	Subdir    string `json:",omitempty"`
	Hash      string `json:",omitempty"`
	TagPrefix string `json:",omitempty"`
	TagSum    string `json:",omitempty"`
	Ref       string `json:",omitempty"`
	RepoSum   string `json:",omitempty"`
}

func init() {
	// The time is what time.Time says of itself, in UTC, and empty where it is zero.
	handlers["info.read"] = func(args []json.RawMessage) (any, error) {
		var info revInfo
		if err := json.Unmarshal(raw(args, 0), &info); err != nil {
			return nil, err
		}
		fields := object{"version": info.Version, "time": "", "origin": object{}}
		if !info.Time.IsZero() {
			fields["time"] = info.Time.UTC().Format(time.RFC3339Nano)
		}
		if info.Origin != nil {
			fields["origin"] = info.Origin
		}
		return fields, nil
	}
}
