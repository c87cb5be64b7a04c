// Port of the lexer in golang.org/x/mod/modfile/read.go. It reads each character once and keeps nothing it has returned.

import { quote } from "./quoted-string.ts";
import { isPrint } from "./unicode.ts";

/** A word may be quoted; punctuation is its own kind. A comment is alone on its line, an end comment is not. */
export type TokenKind = "end" | "comment" | "end comment" | "word" | "\n" | Punctuation;

type Punctuation = "(" | ")" | "[" | "]" | "{" | "}" | ",";

export interface Token {
  readonly kind: TokenKind;
  /** As written: comments with their `//` and without the line end. */
  readonly text: string;
  /** The number of the line it starts on, from 1. */
  readonly line: number;
}

/** What is wrong and on which line, for the caller to put the file's name to. */
export interface SyntaxFault {
  readonly line: number;
  readonly wrong: string;
}

/** True when the token ends a line. */
export function endsLine(kind: TokenKind): boolean {
  return kind === "\n" || kind === "end" || kind === "end comment";
}

function isPunctuation(character: string): character is Punctuation | "\n" {
  return character.length === 1 && "\n()[]{},".includes(character);
}

/** Splits a go.mod file into tokens. What no go.mod may contain is given to `fail`, which throws. */
export class Lexer {
  readonly #text: string;
  readonly #fail: (fault: SyntaxFault) => never;
  #at = 0;
  #line = 1;
  /** Whether something other than space came before on this line. */
  #lineIsUsed = false;
  #ahead: Token;

  constructor(text: string, fail: (fault: SyntaxFault) => never) {
    this.#text = text;
    this.#fail = fail;
    this.#ahead = this.#read();
  }

  /** The kind of the token that `next` will return. */
  peek(): TokenKind {
    return this.#ahead.kind;
  }

  /** Returns the next token and goes on; at the end it returns `end` for ever. */
  next(): Token {
    const token = this.#ahead;
    this.#ahead = this.#read();
    return token;
  }

  #read(): Token {
    while (" \t\r".includes(this.#text[this.#at] ?? "x")) this.#at++;
    const first = this.#text[this.#at];
    if (first === undefined) return { kind: "end", text: "", line: this.#line };
    if (this.#text.startsWith("//", this.#at)) return this.#readComment();
    if (isPunctuation(first)) return this.#readPunctuation(first);
    this.#lineIsUsed = true;
    return first === '"' || first === "`" ? this.#readString(first) : this.#readWord();
  }

  #readComment(): Token {
    const newline = this.#text.indexOf("\n", this.#at);
    const end = newline < 0 ? this.#text.length : newline;
    const kind = this.#lineIsUsed ? "end comment" : "comment";
    const token: Token = { kind, text: this.#text.slice(this.#at, end), line: this.#line };
    this.#at = end;
    if (newline >= 0) this.#endLine();
    return token;
  }

  #endLine(): void {
    this.#at++;
    this.#line++;
    this.#lineIsUsed = false;
  }

  #readPunctuation(kind: Punctuation | "\n"): Token {
    const token: Token = { kind, text: kind, line: this.#line };
    if (kind === "\n") {
      this.#endLine();
    } else {
      this.#at++;
      this.#lineIsUsed = true;
    }
    return token;
  }

  /** Reads to the closing quote. Only a backslash carries a string over a line end, and no such string can be unquoted. */
  #readString(quote: string): Token {
    const start = this.#at;
    const line = this.#line;
    for (this.#at++; ; this.#at++) {
      const character = this.#text[this.#at];
      if (character === quote) break;
      if (character === "\n") this.#fail({ line, wrong: "unexpected newline in string" });
      if (character === "\\" && quote !== "`") {
        this.#at++;
        if (this.#text[this.#at] === "\n") this.#line++;
      }
      if (this.#at >= this.#text.length) this.#fail({ line, wrong: "unexpected end of file in string" });
    }
    this.#at++;
    return { kind: "word", text: this.#text.slice(start, this.#at), line };
  }

  #readWord(): Token {
    const start = this.#at;
    while (this.#at < this.#text.length && !this.#text.startsWith("//", this.#at)) {
      if (this.#text.startsWith("/*", this.#at))
        this.#fail({ line: this.#line, wrong: "comments start with //, not /*" });
      const width = wordCharacterWidth(this.#text, this.#at);
      if (width === 0) break;
      this.#at += width;
    }
    if (this.#at === start) {
      const character = quote(String.fromCodePoint(this.#text.codePointAt(start) ?? 0));
      this.#fail({ line: this.#line, wrong: `unexpected character ${character}` });
    }
    return { kind: "word", text: this.#text.slice(start, this.#at), line: this.#line };
  }
}

/** The UTF-16 units of the character at `at` if words may contain it, else 0. */
function wordCharacterWidth(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  if (unit < 0x80) return unit > 0x20 && unit < 0x7f && !isPunctuation(text.charAt(at)) ? 1 : 0;
  const character = String.fromCodePoint(text.codePointAt(at) ?? unit);
  return isPrint(character) ? character.length : 0;
}
