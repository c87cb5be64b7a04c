package main

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"time"
	"unicode"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

// checkedFiles is a zip.CheckedFiles with paths only: the words of the errors are each side's own.
type checkedFiles struct {
	Valid     []string `json:"valid"`
	Omitted   []string `json:"omitted"`
	Invalid   []string `json:"invalid"`
	SizeError bool     `json:"sizeError"`
	OK        bool     `json:"ok"`
}

func report(cf zip.CheckedFiles, err error) (any, error) {
	if err != nil && cf.Err() == nil {
		return nil, err
	}
	return checkedFiles{append([]string{}, cf.Valid...), paths(cf.Omitted), paths(cf.Invalid), cf.SizeError != nil, err == nil}, nil
}

func paths(list []zip.FileError) []string {
	result := []string{}
	for _, file := range list {
		result = append(result, file.Path)
	}
	return result
}

// A testFile is a zip.File and its own fs.FileInfo.
type testFile struct {
	Name_   string `json:"path"`
	Content string `json:"content"`
	Kind    string `json:"kind"` // "", "dir", "symlink", "device", "unreadable"
	Size_   *int64 `json:"size"`
}

func (f testFile) Path() string { return f.Name_ }
func (f testFile) Lstat() (os.FileInfo, error) {
	if f.Kind == "unreadable" {
		return nil, fs.ErrPermission
	}
	return f, nil
}
func (f testFile) Open() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader([]byte(f.Content))), nil
}
func (f testFile) Name() string       { return f.Name_ }
func (f testFile) ModTime() time.Time { return time.Time{} }
func (f testFile) IsDir() bool        { return f.Kind == "dir" }
func (f testFile) Sys() any           { return nil }
func (f testFile) Mode() os.FileMode {
	return map[string]os.FileMode{"dir": fs.ModeDir, "symlink": fs.ModeSymlink, "device": fs.ModeDevice}[f.Kind]
}
func (f testFile) Size() int64 {
	if f.Size_ != nil {
		return *f.Size_
	}
	return int64(len(f.Content))
}

func files(args []json.RawMessage, i int) []zip.File {
	var list []testFile
	if err := json.Unmarshal(args[i], &list); err != nil {
		panic(err)
	}
	result := []zip.File{}
	for _, file := range list {
		result = append(result, file)
	}
	return result
}

// folds lists the letters that strings.EqualFold does not tell apart, each class under its first letter.
func folds() map[string][]string {
	classes := map[string][]string{}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		least := r
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			least = min(least, other)
		}
		if unicode.IsLetter(r) && least != r {
			classes[string(least)] = append(classes[string(least)], string(r))
		}
	}
	return classes
}

// written returns the hash of a zip that is written to a file.
func written(write func(io.Writer) error) (any, error) {
	file, err := os.CreateTemp("", "xmod-*.zip")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if err := write(file); err != nil {
		return nil, err
	}
	return dirhash.HashZip(file.Name(), dirhash.Hash1)
}

func init() {
	handlers["zip.checkZip"] = func(args []json.RawMessage) (any, error) {
		return report(zip.CheckZip(module.Version{Path: str(args, 0), Version: str(args, 1)}, str(args, 2)))
	}
	handlers["zip.checkFiles"] = func(args []json.RawMessage) (any, error) { return report(zip.CheckFiles(files(args, 0))) }
	// zip.create answers with the hash of the zip that x/mod makes of the files, zip.createFromDir with that of a folder's.
	handlers["zip.create"] = func(args []json.RawMessage) (any, error) {
		return written(func(file io.Writer) error {
			return zip.Create(file, module.Version{Path: str(args, 0), Version: str(args, 1)}, files(args, 2))
		})
	}
	handlers["zip.createFromDir"] = func(args []json.RawMessage) (any, error) {
		return written(func(file io.Writer) error {
			return zip.CreateFromDir(file, module.Version{Path: str(args, 0), Version: str(args, 1)}, str(args, 2))
		})
	}
	handlers["dirhash.hashZip"] = func(args []json.RawMessage) (any, error) { return dirhash.HashZip(str(args, 0), dirhash.Hash1) }
	handlers["unicode.folds"] = func([]json.RawMessage) (any, error) { return folds(), nil }
}
