// Command tlogcheck reads and makes logs with golang.org/x/mod/sumdb, the original implementation of signed notes and
// tiles. Nothing of luvalla is in it; what it adds is the C2SP spelling of paths (no tile height) and of proofs.
//
//	tlogcheck read FOLDER VKEY           check everything that is published; prints size and root
//	tlogcheck older FOLDER VKEY NOTE     check that the published log continues the checkpoint in the file NOTE
//	tlogcheck proof VKEY ENTRY PROOF     check a C2SP tlog-proof of the entry in the file ENTRY
//	tlogcheck make FOLDER NAME N         make a log of N entries, with NAME as origin; prints its vkey
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func fail(format string, a ...interface{}) {
	check(fmt.Errorf(format, a...))
}

func path(t tlog.Tile, entries bool) string {
	p := strings.TrimPrefix(t.Path(), fmt.Sprintf("tile/%d/", height))
	if entries {
		return "tile/entries/" + strings.TrimPrefix(p, "0/")
	}
	return "tile/" + p
}

// open verifies a checkpoint by note.Open and reads its three lines.
func open(raw []byte, vkey string) tlog.Tree {
	verifier, err := note.NewVerifier(vkey)
	check(err)
	n, err := note.Open(raw, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != verifier.Name() {
		fail("not a checkpoint of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := tlog.ParseHash(lines[2])
	check(err)
	return tlog.Tree{N: size, Hash: root}
}

type folder string

func (f folder) Height() int { return height }

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		content, err := os.ReadFile(filepath.Join(string(f), path(t, false)))
		if err != nil {
			return nil, err
		}
		all = append(all, content)
	}
	return all, nil
}

func (f folder) checkpoint(vkey string) tlog.Tree {
	raw, err := os.ReadFile(filepath.Join(string(f), "checkpoint"))
	check(err)
	return open(raw, vkey)
}

func (f folder) bundle(index int64, width int) [][]byte {
	raw, err := os.ReadFile(filepath.Join(string(f), path(tlog.Tile{H: height, N: index, W: width}, true)))
	check(err)
	var entries [][]byte
	for len(raw) > 0 {
		if len(raw) < 2 || len(raw) < 2+int(binary.BigEndian.Uint16(raw)) {
			fail("a bundle is cut")
		}
		end := 2 + int(binary.BigEndian.Uint16(raw))
		entries = append(entries, raw[2:end])
		raw = raw[end:]
	}
	if len(entries) != width {
		fail("a bundle of %d entries, expected %d", len(entries), width)
	}
	return entries
}

// tilesOf lists the tiles of a tree; NewTiles also names every narrower copy of the partial ones.
func tilesOf(size int64) []tlog.Tile {
	var tiles []tlog.Tile
	for _, t := range tlog.NewTiles(height, 0, size) {
		if n := len(tiles); n > 0 && tiles[n-1].L == t.L && tiles[n-1].N == t.N {
			tiles = tiles[:n-1]
		}
		tiles = append(tiles, t)
	}
	return tiles
}

func read(f folder, vkey string) {
	tree := f.checkpoint(vkey)
	reader := tlog.TileHashReader(tree, f)
	for start := int64(0); start < tree.N; start += 1 << height {
		width := int64(1 << height)
		if tree.N-start < width {
			width = tree.N - start
		}
		for i, entry := range f.bundle(start>>height, int(width)) {
			n := start + int64(i)
			proof, err := tlog.ProveRecord(tree.N, n, reader)
			check(err)
			check(tlog.CheckRecord(proof, tree.N, tree.Hash, n, tlog.RecordHash(entry)))
		}
	}
	root, err := tlog.TreeHash(tree.N, reader)
	check(err)
	if root != tree.Hash {
		fail("the tiles give another root than the checkpoint")
	}
	// Every tile of the tree, also those that no proof above needed whole.
	for _, t := range tilesOf(tree.N) {
		served, err := f.ReadTiles([]tlog.Tile{t})
		check(err)
		computed, err := tlog.ReadTileData(t, reader)
		check(err)
		if !bytes.Equal(served[0], computed) {
			fail("%s is not what the tree has there", path(t, false))
		}
	}
	fmt.Println(tree.N, tree.Hash)
}

func older(f folder, vkey, file string) {
	raw, err := os.ReadFile(file)
	check(err)
	old, tree := open(raw, vkey), f.checkpoint(vkey)
	proof, err := tlog.ProveTree(tree.N, old.N, tlog.TileHashReader(tree, f))
	check(err)
	check(tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash))
	fmt.Println(old.N, tree.N)
}

func proof(vkey, entryFile, proofFile string) {
	entry, err := os.ReadFile(entryFile)
	check(err)
	raw, err := os.ReadFile(proofFile)
	check(err)
	parts := strings.SplitN(string(raw), "\n\n", 2)
	lines := strings.Split(parts[0], "\n")
	if len(parts) != 2 || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "index ") {
		fail("not a tlog-proof")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	check(err)
	var hashes tlog.RecordProof
	for _, line := range lines[2:] {
		hash, err := tlog.ParseHash(line)
		check(err)
		hashes = append(hashes, hash)
	}
	tree := open([]byte(parts[1]), vkey)
	if index < 0 || index >= tree.N {
		fail("no entry %d in a tree of %d", index, tree.N)
	}
	check(tlog.CheckRecord(hashes, tree.N, tree.Hash, index, tlog.RecordHash(entry)))
	fmt.Println(index, tree.N)
}

func write(file string, content []byte) {
	check(os.MkdirAll(filepath.Dir(file), 0o755))
	check(os.WriteFile(file, content, 0o644))
}

func makeLog(f folder, name string, count int64) {
	signing, vkey, err := note.GenerateKey(rand.Reader, name)
	check(err)
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var hashes []tlog.Hash
		for _, i := range indexes {
			hashes = append(hashes, stored[i])
		}
		return hashes, nil
	})
	var bundle bytes.Buffer
	for n := int64(0); n < count; n++ {
		entry := []byte(fmt.Sprintf("entry %d of a log made by golang.org/x/mod", n))
		hashes, err := tlog.StoredHashes(n, entry, reader)
		check(err)
		stored = append(stored, hashes...)
		check(binary.Write(&bundle, binary.BigEndian, uint16(len(entry))))
		bundle.Write(entry)
		if width := n%(1<<height) + 1; width == 1<<height || n+1 == count {
			tile := tlog.Tile{H: height, N: n >> height, W: int(width)}
			write(filepath.Join(string(f), path(tile, true)), bundle.Bytes())
			bundle.Reset()
		}
	}
	for _, tile := range tilesOf(count) {
		content, err := tlog.ReadTileData(tile, reader)
		check(err)
		write(filepath.Join(string(f), path(tile, false)), content)
	}
	root, err := tlog.TreeHash(count, reader)
	check(err)
	signer, err := note.NewSigner(signing)
	check(err)
	signed, err := note.Sign(&note.Note{Text: fmt.Sprintf("%s\n%d\n%s\n", name, count, root)}, signer)
	check(err)
	write(filepath.Join(string(f), "checkpoint"), signed)
	// One proof of every kind that ours must accept.
	index := count / 2
	path, err := tlog.ProveRecord(count, index, reader)
	check(err)
	text := fmt.Sprintf("c2sp.org/tlog-proof@v1\nindex %d\n", index)
	for _, hash := range path {
		text += hash.String() + "\n"
	}
	write(filepath.Join(string(f), "proof.txt"), append([]byte(text+"\n"), signed...))
	old := count/3 + 1
	oldRoot, err := tlog.TreeHash(old, reader)
	check(err)
	tree, err := tlog.ProveTree(count, old, reader)
	check(err)
	text = fmt.Sprintf("%d\n%s\n", old, oldRoot)
	for _, hash := range tree {
		text += hash.String() + "\n"
	}
	write(filepath.Join(string(f), "consistency.txt"), []byte(text))
	fmt.Println(vkey)
}

func main() {
	args := os.Args[1:]
	switch {
	case len(args) == 3 && args[0] == "read":
		read(folder(args[1]), args[2])
	case len(args) == 4 && args[0] == "older":
		older(folder(args[1]), args[2], args[3])
	case len(args) == 4 && args[0] == "proof":
		proof(args[1], args[2], args[3])
	case len(args) == 4 && args[0] == "make":
		count, err := strconv.ParseInt(args[3], 10, 64)
		check(err)
		makeLog(folder(args[1]), args[2], count)
	default:
		fmt.Fprintln(os.Stderr, "see the comment at the top")
		os.Exit(2)
	}
}
