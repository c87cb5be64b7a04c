// Command xmod checks and hashes module zips with golang.org/x/mod's own functions and writes how many seconds each one
// took, a line for each. It is given how often each is read, and module, version and file of each zip in turn.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

func main() {
	times, err := strconv.Atoi(os.Args[1])
	stop(err)
	for args := os.Args[2:]; len(args) >= 3; args = args[3:] {
		version := module.Version{Path: args[0], Version: args[1]}
		started := time.Now()
		for range times {
			_, err := zip.CheckZip(version, args[2])
			stop(err)
			_, err = dirhash.HashZip(args[2], dirhash.DefaultHash)
			stop(err)
		}
		fmt.Println(time.Since(started).Seconds() / float64(times))
	}
}

func stop(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
