package main

import (
	"encoding/json"
	"time"

	"golang.org/x/mod/module"
)

func init() {
	handlers["pseudo.pseudoVersion"] = func(args []json.RawMessage) (any, error) {
		t := time.UnixMilli(decode[int64](args, 2))
		return module.PseudoVersion(str(args, 0), str(args, 1), t, str(args, 3)), nil
	}
	handlers["pseudo.zeroPseudoVersion"] = func(args []json.RawMessage) (any, error) {
		return module.ZeroPseudoVersion(str(args, 0)), nil
	}
	handlers["pseudo.isPseudoVersion"] = func(args []json.RawMessage) (any, error) {
		return module.IsPseudoVersion(str(args, 0)), nil
	}
	handlers["pseudo.isZeroPseudoVersion"] = func(args []json.RawMessage) (any, error) {
		return module.IsZeroPseudoVersion(str(args, 0)), nil
	}
	handlers["pseudo.pseudoVersionTime"] = func(args []json.RawMessage) (any, error) {
		t, err := module.PseudoVersionTime(str(args, 0))
		return t.UnixMilli(), err
	}
	handlers["pseudo.pseudoVersionRev"] = func(args []json.RawMessage) (any, error) {
		return module.PseudoVersionRev(str(args, 0))
	}
	handlers["pseudo.pseudoVersionBase"] = func(args []json.RawMessage) (any, error) {
		return module.PseudoVersionBase(str(args, 0))
	}
}
