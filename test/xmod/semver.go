package main

import (
	"encoding/json"

	"golang.org/x/mod/semver"
)

func init() {
	for name, f := range map[string]func(string) string{
		"canonical": semver.Canonical, "major": semver.Major, "majorMinor": semver.MajorMinor,
		"prerelease": semver.Prerelease, "build": semver.Build,
	} {
		handlers["semver."+name] = func(args []json.RawMessage) (any, error) { return f(str(args, 0)), nil }
	}
	handlers["semver.isValid"] = func(args []json.RawMessage) (any, error) { return semver.IsValid(str(args, 0)), nil }
	handlers["semver.compare"] = func(args []json.RawMessage) (any, error) {
		return semver.Compare(str(args, 0), str(args, 1)), nil
	}
	handlers["semver.max"] = func(args []json.RawMessage) (any, error) {
		return semver.Max(str(args, 0), str(args, 1)), nil
	}
	handlers["semver.sort"] = func(args []json.RawMessage) (any, error) {
		list := decode[[]string](args, 0)
		semver.Sort(list)
		return list, nil
	}
}
