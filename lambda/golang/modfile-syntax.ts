// Port of the parser in golang.org/x/mod/modfile/read.go. It keeps no tree: each line is handed on as soon as no comment can
// be attached to it any more, so a hostile 16 MiB file costs little more than its text.

import { endsLine, Lexer, type SyntaxFault, type Token } from "./modfile-lexer.ts";
import { type Steps, stepsPerTurn } from "./steps.ts";

/** Tokens of one line that are kept: with more than the few that some directive takes, a line says nothing however it goes on. */
const mostTokens = 64;

/**
 * Comments of one line or block that are kept, where x/mod keeps all: an array of millions would be one allocation that ends the
 * process of a thread whose heap is nearly full.
 */
const mostComments = 1_000_000;

/** The comments around a line or block as written, with `//`; `""` for a blank line among them. */
export interface Comments {
  readonly before: readonly string[];
  /** At the end of the line. */
  readonly suffix: readonly string[];
}

/** A line of a go.mod file that says something. */
export interface Line {
  /** The words and punctuation on it, without those of the block around it. */
  readonly tokens: readonly string[];
  readonly comments: Comments;
  /** Its number, from 1. */
  readonly line: number;
  readonly block?: Block | undefined;
}

/** A parenthesised group of lines. */
export interface Block {
  /** What stands before the parenthesis. */
  readonly tokens: readonly string[];
  readonly comments: Comments;
}

/**
 * Reads a go.mod file in steps and calls `visit` for each line in order, for those in blocks with their block.
 *
 * What is no go.mod syntax is given to `fail`, which throws; lines before it may have been visited.
 */
export function parseSyntax(
  text: string,
  visit: (line: Line) => void,
  fail: (fault: SyntaxFault) => never,
): Steps<void> {
  return new Parser(text, visit, fail).parseFile();
}

class Parser {
  readonly #lexer: Lexer;
  readonly #visit: (line: Line) => void;
  readonly #fail: (fault: SyntaxFault) => never;
  /** Lines not yet visited: the first may get more end comments, those after it wait for their turn. */
  #waiting: Line[] = [];
  /** Where end comments go: those of the first waiting line, or nowhere. */
  #suffix: string[] | undefined;
  /** Tokens, or about as many. */
  #taken = 0;

  constructor(text: string, visit: (line: Line) => void, fail: (fault: SyntaxFault) => never) {
    this.#lexer = new Lexer(text, fail);
    this.#visit = visit;
    this.#fail = fail;
  }

  *parseFile(): Steps<void> {
    let before: string[] = [];
    for (let kind = this.#lexer.peek(); kind !== "end"; kind = this.#lexer.peek()) {
      if (this.#isTurn()) yield;
      if (kind === "comment") {
        keep(before, this.#lexer.next().text, mostComments);
        continue;
      }
      if (kind === "\n") {
        this.#lexer.next();
        // Comments set off by a blank line belong to nothing, and stand between end comments and the lines above.
        if (before.length > 0) this.#settle();
      } else {
        yield* this.#parseStatement(before);
      }
      before = [];
    }
    this.#settle();
  }

  *#parseStatement(before: readonly string[]): Steps<void> {
    const first = this.#lexer.next();
    const tokens = [first.text];
    let token = this.#lexer.next();
    while (!endsLine(token.kind)) {
      if (this.#isTurn()) yield;
      const opens = token.kind === "(";
      if (opens && endsLine(this.#lexer.peek())) {
        yield* this.#parseBlock(first, { tokens, comments: { before, suffix: [] } });
        return;
      }
      keep(tokens, token.text, mostTokens);
      token = this.#lexer.next();
      if (opens && token.kind === ")" && endsLine(this.#lexer.peek())) {
        this.#endBlock();
        return;
      }
    }
    this.#addLine(first, tokens, before, token);
  }

  *#parseBlock(first: Token, block: Block): Steps<void> {
    this.#settle();
    let before: string[] = [];
    let empty = true;
    for (let kind = this.#lexer.peek(); kind !== ")"; kind = this.#lexer.peek()) {
      if (this.#isTurn()) yield;
      if (kind === "end") this.#fail({ line: first.line, wrong: "this block does not end" });
      if (kind === "end comment") {
        this.#lexer.next();
      } else if (kind === "\n") {
        this.#lexer.next();
        if (before.length === 0 ? !empty : before.at(-1) !== "") keep(before, "", mostComments);
      } else if (kind === "comment") {
        keep(before, this.#lexer.next().text, mostComments);
      } else {
        yield* this.#parseLine(before, block);
        before = [];
        empty = false;
      }
    }
    const { line } = this.#lexer.next();
    if (!endsLine(this.#lexer.peek())) this.#fail({ line, wrong: "expected a newline after the closing )" });
    this.#endBlock();
  }

  #isTurn(): boolean {
    this.#taken++;
    return this.#taken % stepsPerTurn === 0;
  }

  /** Takes the line end behind a closing parenthesis, to which a comment there belongs. */
  #endBlock(): void {
    this.#settle();
    this.#lexer.next();
  }

  *#parseLine(before: readonly string[], block: Block): Steps<void> {
    const first = this.#lexer.next();
    const tokens = [first.text];
    let token = this.#lexer.next();
    for (; !endsLine(token.kind); token = this.#lexer.next()) {
      if (this.#isTurn()) yield;
      keep(tokens, token.text, mostTokens);
    }
    this.#addLine(first, tokens, before, token, block);
  }

  #addLine(first: Token, tokens: string[], before: readonly string[], end: Token, block?: Block): void {
    const suffix: string[] = [];
    const line: Line = { tokens, comments: { before, suffix }, line: first.line, block };
    // A line that a quoted newline spreads over two gets no end comment: x/mod gives it to what came before.
    if (end.line === first.line) {
      this.#settle();
      this.#suffix = suffix;
    }
    this.#waiting.push(line);
    if (end.kind === "end comment" && this.#suffix !== undefined) keep(this.#suffix, end.text, mostComments);
  }

  /** Visits what waits: something now stands between it and any end comment to come. */
  #settle(): void {
    const lines = this.#waiting;
    this.#waiting = [];
    this.#suffix = undefined;
    for (const line of lines) this.#visit(line);
  }
}

function keep(texts: string[], text: string, most: number): void {
  if (texts.length < most) texts.push(text);
}
