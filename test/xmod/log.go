package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"golang.org/x/mod/sumdb"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// get reads a path of a database that is served over HTTP.
func get(url, path string) ([]byte, error) {
	answer, err := http.Get(url + path)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != 200 {
		err = fmt.Errorf("%s: %s: %s", path, answer.Status, body)
	}
	return body, err
}

// A remoteOps is a client with an empty cache whose database is served over HTTP.
type remoteOps struct {
	staticOps
	url string
}

func (o *remoteOps) ReadRemote(path string) ([]byte, error) { return get(o.url, path) }

// remoteTiles reads tiles over HTTP, each once.
type remoteTiles struct {
	url  string
	mu   sync.Mutex
	read map[string][]byte
}

func (r *remoteTiles) Height() int                     { return height }
func (r *remoteTiles) SaveTiles([]tlog.Tile, [][]byte) {}
func (r *remoteTiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := r.tile(tile)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (r *remoteTiles) tile(tile tlog.Tile) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	path := "/" + tile.Path()
	if data, found := r.read[path]; found {
		return data, nil
	}
	data, err := get(r.url, path)
	if err == nil {
		r.read[path] = data
	}
	return data, err
}

// tree opens a signed head.
func tree(head []byte, vkey string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(head, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	return tlog.ParseTree([]byte(opened.Text))
}

// consistent checks that the log of each tree begins with that of each smaller one, by a proof as by its own root.
func consistent(trees []tlog.Tree, tiles *remoteTiles) (int, error) {
	pairs := 0
	for _, newer := range trees {
		reader := tlog.TileHashReader(newer, tiles)
		for _, older := range trees {
			if older.N > newer.N || older.N == 0 {
				continue
			}
			root, err := tlog.TreeHash(older.N, reader)
			if err != nil || root != older.Hash {
				return 0, fmt.Errorf("the root of %d in the log of %d: %v %w", older.N, newer.N, root, err)
			}
			proof, err := tlog.ProveTree(newer.N, older.N, reader)
			if err != nil {
				return 0, err
			}
			if err := tlog.CheckTree(proof, newer.N, newer.Hash, older.N, older.Hash); err != nil {
				return 0, fmt.Errorf("%d in %d: %w", older.N, newer.N, err)
			}
			pairs++
		}
	}
	return pairs, nil
}

// whole checks every tile of a tree: those of hashes against the root, those of records against their hashes.
func whole(newest tlog.Tree, tiles *remoteTiles) (hashTiles, records int, err error) {
	reader := tlog.TileHashReader(newest, tiles)
	for _, tile := range tlog.NewTiles(height, 0, newest.N) {
		want, err := tlog.ReadTileData(tile, reader)
		if err != nil {
			return 0, 0, err
		}
		data, err := tiles.tile(tile)
		if err != nil || !bytes.Equal(data, want) {
			return 0, 0, fmt.Errorf("%s is wrong: %w", tile.Path(), err)
		}
		hashTiles++
		if tile.L > 0 {
			continue
		}
		own := tile
		own.L = -1
		lines, err := get(tiles.url, "/"+own.Path())
		if err != nil {
			return 0, 0, err
		}
		texts := bytes.SplitAfter(lines, []byte("\n\n"))
		if len(texts) != tile.W+1 || len(texts[tile.W]) != 0 {
			return 0, 0, fmt.Errorf("%s has %d records", own.Path(), len(texts)-1)
		}
		for i, text := range texts[:tile.W] {
			hash := tlog.RecordHash(text[:len(text)-1])
			if !bytes.Equal(hash[:], data[i*tlog.HashSize:(i+1)*tlog.HashSize]) {
				return 0, 0, fmt.Errorf("record %d of %s is wrong", i, own.Path())
			}
			records++
		}
	}
	return hashTiles, records, nil
}

func init() {
	// remote(url, vkey, "path@version"...) looks all of them up with one new client: the go.sum lines of each.
	handlers["sumdb.remote"] = func(args []json.RawMessage) (any, error) {
		ops := &remoteOps{staticOps{vkey: str(args, 1)}, str(args, 0)}
		client := sumdb.NewClient(ops)
		found := [][]string{}
		for i := range args[2:] {
			path, version, _ := strings.Cut(str(args, i+2), "@")
			lines, err := client.Lookup(path, version)
			if err != nil {
				return nil, fmt.Errorf("%w %s", err, ops.forked)
			}
			found = append(found, lines)
		}
		return found, nil
	}

	// audit(url, vkey, head...) checks all tiles and records of the largest head, and each head against each other.
	handlers["log.audit"] = func(args []json.RawMessage) (any, error) {
		tiles := &remoteTiles{url: str(args, 0), read: map[string][]byte{}}
		var trees []tlog.Tree
		var newest tlog.Tree
		for i := range args[2:] {
			one, err := tree(raw(args, i+2), str(args, 1))
			if err != nil {
				return nil, err
			}
			if trees = append(trees, one); one.N > newest.N {
				newest = one
			}
		}
		pairs, err := consistent(trees, tiles)
		if err != nil {
			return nil, err
		}
		hashTiles, records, err := whole(newest, tiles)
		return map[string]int{"pairs": pairs, "hashTiles": hashTiles, "records": records}, err
	}
}
