package main

import (
	"encoding/json"

	"golang.org/x/mod/semver"
)

func init() {
	handlers["semver.isValid"] = func(args []json.RawMessage) (any, error) { return semver.IsValid(str(args, 0)), nil }
	handlers["semver.compare"] = func(args []json.RawMessage) (any, error) {
		return semver.Compare(str(args, 0), str(args, 1)), nil
	}
}
