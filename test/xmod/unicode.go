package main

import (
	"encoding/json"
	"strings"
	"unicode"
)

// Each answers one character of '0' or '1' for every code point from args[0] up to args[1].
func init() {
	for name, f := range map[string]func(rune) bool{"isLetter": unicode.IsLetter, "isPrint": unicode.IsPrint} {
		handlers["unicode."+name] = func(args []json.RawMessage) (any, error) {
			var bits strings.Builder
			for r := decode[rune](args, 0); r < decode[rune](args, 1); r++ {
				if f(r) {
					bits.WriteByte('1')
				} else {
					bits.WriteByte('0')
				}
			}
			return bits.String(), nil
		}
	}
	handlers["unicode.trimSpace"] = func(args []json.RawMessage) (any, error) { return strings.TrimSpace(str(args, 0)), nil }
}
