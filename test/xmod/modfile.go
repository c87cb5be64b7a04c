package main

import (
	"encoding/json"
	"strconv"

	"golang.org/x/mod/modfile"
)

type object = map[string]any

func init() {
	handlers["modfile.modulePath"] = func(args []json.RawMessage) (any, error) {
		return modfile.ModulePath(raw(args, 0)), nil
	}
	handlers["modfile.parseLax"] = func(args []json.RawMessage) (any, error) {
		f, err := modfile.ParseLax("go.mod", raw(args, 0), nil)
		if err != nil {
			return nil, err
		}
		return laxFields(f), nil
	}
	handlers["modfile.parse"] = func(args []json.RawMessage) (any, error) {
		f, err := modfile.Parse("go.mod", raw(args, 0), nil)
		if err != nil {
			return nil, err
		}
		fields := laxFields(f)
		for name, value := range mainModuleFields(f) {
			fields[name] = value
		}
		return fields, nil
	}
	handlers["strconv.unquote"] = func(args []json.RawMessage) (any, error) { return strconv.Unquote(str(args, 0)) }
}

func laxFields(f *modfile.File) object {
	fields := object{"module": nil, "go": nil}
	if f.Module != nil {
		fields["module"] = object{"path": f.Module.Mod.Path, "deprecated": f.Module.Deprecated}
	}
	if f.Go != nil {
		fields["go"] = f.Go.Version
	}
	require, retract := []any{}, []any{}
	for _, r := range f.Require {
		require = append(require, object{"path": r.Mod.Path, "version": r.Mod.Version, "indirect": r.Indirect})
	}
	for _, r := range f.Retract {
		retract = append(retract, object{"low": r.Low, "high": r.High, "rationale": r.Rationale})
	}
	fields["require"], fields["retract"] = require, retract
	return fields
}

func mainModuleFields(f *modfile.File) object {
	fields := object{"toolchain": nil}
	if f.Toolchain != nil {
		fields["toolchain"] = f.Toolchain.Name
	}
	replace, exclude := []any{}, []any{}
	for _, r := range f.Replace {
		replace = append(replace, object{
			"old": object{"path": r.Old.Path, "version": r.Old.Version},
			"new": object{"path": r.New.Path, "version": r.New.Version},
		})
	}
	for _, e := range f.Exclude {
		exclude = append(exclude, object{"path": e.Mod.Path, "version": e.Mod.Version})
	}
	fields["replace"], fields["exclude"] = replace, exclude
	return fields
}
