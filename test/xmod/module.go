package main

import (
	"encoding/json"
	"path"

	"golang.org/x/mod/module"
)

func init() {
	for name, f := range map[string]func(string) error{
		"checkPath": module.CheckPath, "checkImportPath": module.CheckImportPath, "checkFilePath": module.CheckFilePath,
	} {
		handlers["module."+name] = func(args []json.RawMessage) (any, error) { return nil, f(str(args, 0)) }
	}
	for name, f := range map[string]func(string) (string, error){
		"escapePath": module.EscapePath, "escapeVersion": module.EscapeVersion,
		"unescapePath": module.UnescapePath, "unescapeVersion": module.UnescapeVersion,
	} {
		handlers["module."+name] = func(args []json.RawMessage) (any, error) { return f(str(args, 0)) }
	}
	handlers["module.check"] = func(args []json.RawMessage) (any, error) {
		return nil, module.Check(str(args, 0), str(args, 1))
	}
	handlers["module.splitPathVersion"] = func(args []json.RawMessage) (any, error) {
		prefix, pathMajor, ok := module.SplitPathVersion(str(args, 0))
		return map[string]any{"prefix": prefix, "pathMajor": pathMajor, "ok": ok}, nil
	}
	handlers["module.matchPathMajor"] = func(args []json.RawMessage) (any, error) {
		return module.MatchPathMajor(str(args, 0), str(args, 1)), nil
	}
	handlers["module.pathMajorPrefix"] = func(args []json.RawMessage) (any, error) {
		return module.PathMajorPrefix(str(args, 0)), nil // panics for what is no path major; main answers that as an error
	}
	handlers["module.canonicalVersion"] = func(args []json.RawMessage) (any, error) {
		return module.CanonicalVersion(str(args, 0)), nil
	}
	handlers["module.matchPrefixPatterns"] = func(args []json.RawMessage) (any, error) {
		return module.MatchPrefixPatterns(str(args, 0), str(args, 1)), nil
	}
	handlers["module.sort"] = func(args []json.RawMessage) (any, error) {
		list := decode[[]module.Version](args, 0)
		module.Sort(list)
		sorted := []map[string]string{}
		for _, m := range list {
			sorted = append(sorted, map[string]string{"path": m.Path, "version": m.Version})
		}
		return sorted, nil
	}
	handlers["path.match"] = func(args []json.RawMessage) (any, error) {
		return path.Match(str(args, 0), str(args, 1))
	}
}
