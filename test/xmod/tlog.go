package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"
)

// Sizes and indexes travel as decimal strings: JavaScript's JSON has no 64-bit integers.
func int64At(args []json.RawMessage, i int) int64 {
	n, err := strconv.ParseInt(str(args, i), 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func intAt(args []json.RawMessage, i int) int {
	return int(int64At(args, i))
}

func hashAt(args []json.RawMessage, i int) (h tlog.Hash) {
	if copy(h[:], raw(args, i)) != tlog.HashSize {
		panic("short hash")
	}
	return h
}

func hashesAt(args []json.RawMessage, i int) (list []tlog.Hash) {
	if err := json.Unmarshal(args[i], &list); err != nil {
		panic(err)
	}
	return list
}

// synthetic is a log of any size without a record: the hash stored at an index is that of the index in decimal.
func synthetic(indexes []int64) ([]tlog.Hash, error) {
	var list []tlog.Hash
	for _, index := range indexes {
		list = append(list, sha256.Sum256([]byte(strconv.FormatInt(index, 10))))
	}
	return list, nil
}

func hashString(h tlog.Hash, err error) (any, error) {
	return h.String(), err
}

func done(err error) (any, error) {
	return true, err
}

func init() {
	read := tlog.HashReaderFunc(synthetic)

	handlers["tlog.storedHashIndex"] = func(args []json.RawMessage) (any, error) {
		return fmt.Sprint(tlog.StoredHashIndex(intAt(args, 0), int64At(args, 1))), nil
	}
	handlers["tlog.splitStoredHashIndex"] = func(args []json.RawMessage) (any, error) {
		level, n := tlog.SplitStoredHashIndex(int64At(args, 0))
		return fmt.Sprintf("%d %d", level, n), nil
	}
	handlers["tlog.storedHashCount"] = func(args []json.RawMessage) (any, error) {
		return fmt.Sprint(tlog.StoredHashCount(int64At(args, 0))), nil
	}
	handlers["tlog.storedHashes"] = func(args []json.RawMessage) (any, error) {
		return tlog.StoredHashes(int64At(args, 0), raw(args, 1), read)
	}
	handlers["tlog.treeHash"] = func(args []json.RawMessage) (any, error) {
		return hashString(tlog.TreeHash(int64At(args, 0), read))
	}
	handlers["tlog.proveRecord"] = func(args []json.RawMessage) (any, error) {
		return tlog.ProveRecord(int64At(args, 0), int64At(args, 1), read)
	}
	handlers["tlog.checkRecord"] = func(args []json.RawMessage) (any, error) {
		return done(tlog.CheckRecord(hashesAt(args, 0), int64At(args, 1), hashAt(args, 2), int64At(args, 3), hashAt(args, 4)))
	}
	handlers["tlog.proveTree"] = func(args []json.RawMessage) (any, error) {
		return tlog.ProveTree(int64At(args, 0), int64At(args, 1), read)
	}
	handlers["tlog.checkTree"] = func(args []json.RawMessage) (any, error) {
		return done(tlog.CheckTree(hashesAt(args, 0), int64At(args, 1), hashAt(args, 2), int64At(args, 3), hashAt(args, 4)))
	}
	handlers["tlog.formatTree"] = func(args []json.RawMessage) (any, error) {
		return string(tlog.FormatTree(tlog.Tree{N: int64At(args, 0), Hash: hashAt(args, 1)})), nil
	}
	handlers["tlog.parseTree"] = func(args []json.RawMessage) (any, error) {
		tree, err := tlog.ParseTree(raw(args, 0))
		return fmt.Sprintf("%d %s", tree.N, tree.Hash), err
	}
	handlers["tlog.formatRecord"] = func(args []json.RawMessage) (any, error) {
		return tlog.FormatRecord(int64At(args, 0), raw(args, 1))
	}
	handlers["tlog.parseRecord"] = func(args []json.RawMessage) (any, error) {
		id, text, rest, err := tlog.ParseRecord(raw(args, 0))
		return map[string]any{"id": fmt.Sprint(id), "text": text, "rest": append([]byte{}, rest...)}, err
	}

	handlers["tile.tileForIndex"] = func(args []json.RawMessage) (any, error) {
		tile := tlog.TileForIndex(intAt(args, 0), int64At(args, 1))
		return fmt.Sprintf("%d %d %d %d %s", tile.H, tile.L, tile.N, tile.W, tile.Path()), nil
	}
	handlers["tile.parseTilePath"] = func(args []json.RawMessage) (any, error) {
		tile, err := tlog.ParseTilePath(str(args, 0))
		return fmt.Sprintf("%d %d %d %d", tile.H, tile.L, tile.N, tile.W), err
	}
	handlers["tile.newTiles"] = func(args []json.RawMessage) (any, error) {
		paths := []string{}
		for _, tile := range tlog.NewTiles(intAt(args, 0), int64At(args, 1), int64At(args, 2)) {
			paths = append(paths, tile.Path())
		}
		return paths, nil
	}
	handlers["tile.readTileData"] = func(args []json.RawMessage) (any, error) {
		tile, err := tlog.ParseTilePath(str(args, 0))
		if err != nil {
			return nil, err
		}
		return tlog.ReadTileData(tile, read)
	}
	handlers["tile.hashFromTile"] = func(args []json.RawMessage) (any, error) {
		tile, err := tlog.ParseTilePath(str(args, 0))
		if err != nil {
			return nil, err
		}
		return hashString(tlog.HashFromTile(tile, raw(args, 1), int64At(args, 2)))
	}
	// The tiles that reading these indexes asks for, in x/mod's order; their content is not looked at.
	handlers["tile.tilesAsked"] = func(args []json.RawMessage) (any, error) {
		var indexes []int64
		for i := range args[1:] {
			indexes = append(indexes, int64At(args, i+1))
		}
		asked := &tileRecorder{paths: []string{}}
		tlog.TileHashReader(tlog.Tree{N: int64At(args, 0)}, asked).ReadHashes(indexes)
		return asked.paths, nil
	}
}

type tileRecorder struct{ paths []string }

func (r *tileRecorder) Height() int                         { return 8 }
func (r *tileRecorder) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (r *tileRecorder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	for _, tile := range tiles {
		r.paths = append(r.paths, tile.Path())
	}
	return nil, fmt.Errorf("only asking")
}
