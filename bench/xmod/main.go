// Command xmod checks and hashes module zips with golang.org/x/mod's own functions and writes how many seconds each one
// took, a line for each. It is given module, version and file of each zip in turn, and how often it is to be read.
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
	for args := os.Args[1:]; len(args) >= 4; args = args[4:] {
		times, err := strconv.Atoi(args[3])
		stop(err)
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
