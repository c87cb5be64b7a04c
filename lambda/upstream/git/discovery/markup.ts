// The tags of a page as Go's encoding/xml reads them when it is not strict. Texts are byte strings; one look at each byte.

/** A start tag or an end tag; an empty one is both, one after the other. */
export type Tag =
  | { readonly kind: "start"; readonly name: string; readonly attributes: readonly (readonly [string, string])[] }
  | { readonly kind: "end"; readonly name: string };

/** Thrown for what Go's parser stops at; what it has found before that counts. */
export class MarkupError extends Error {}

/**
 * The tags of a page, in its order, and `undefined` for every other small step that was taken. Throws `MarkupError`, also where
 * the page ends in the middle of one.
 */
export function* tagsOf(page: string): Generator<Tag | undefined, void> {
  const reader = new Reader(page);
  for (;;) {
    reader.skipText();
    if (reader.atEnd) return;
    const tag = yield* reader.readTag();
    if (tag === undefined) {
      yield undefined;
      continue;
    }
    const { isEmpty, ...rest } = tag;
    yield rest;
    if (isEmpty) yield { kind: "end", name: rest.name };
  }
}

const nameBytes = /[A-Za-z0-9_:.\x80-\xff-]*/y;
const spaces = /[ \r\n\t]*/y;
const unquoted = /[A-Za-z0-9_:-]*/y;

type WholeTag = Tag & { readonly isEmpty: boolean };

class Reader {
  readonly #page: string;
  #at = 0;

  constructor(page: string) {
    this.#page = page;
  }

  get atEnd(): boolean {
    return this.#at >= this.#page.length;
  }

  skipText(): void {
    const end = this.#page.indexOf("<", this.#at);
    const text = this.#page.slice(this.#at, end < 0 ? undefined : end);
    if (text.includes("]]>")) throw new MarkupError("unescaped ]]> not in CDATA section");
    decodeText(text);
    this.#at = end < 0 ? this.#page.length : end;
  }

  *readTag(): Generator<undefined, WholeTag | undefined> {
    this.#at++;
    const mark = this.#page[this.#at];
    if (mark === "/") return this.#readEnd();
    if (mark === "?") this.#skipInstruction();
    else if (mark === "!") this.#skipDeclaration();
    else return yield* this.#readStart();
    return undefined;
  }

  #readEnd(): WholeTag {
    this.#at++;
    const name = this.#readName("element name after </");
    this.#take(spaces);
    this.#expect(">", "> at the end of a tag");
    return { kind: "end", name, isEmpty: false };
  }

  *#readStart(): Generator<undefined, WholeTag> {
    const name = this.#readName("element name after <");
    const attributes: (readonly [string, string])[] = [];
    for (;;) {
      this.#take(spaces);
      const next = this.#page[this.#at];
      if (next === "/" || next === ">") {
        if (next === "/") this.#at++;
        this.#expect(">", "/> in element");
        return { kind: "start", name, attributes, isEmpty: next === "/" };
      }
      const attribute = this.#readName("attribute name in element");
      this.#take(spaces);
      if (this.#page[this.#at] !== "=") attributes.push([attribute, attribute]);
      else attributes.push([attribute, this.#readValue()]);
      if (this.atEnd) throw new MarkupError("unexpected EOF");
      yield undefined;
    }
  }

  #readValue(): string {
    this.#at++;
    this.#take(spaces);
    const quote = this.#page[this.#at];
    if (quote !== '"' && quote !== "'") return this.#take(unquoted);
    const end = this.#page.indexOf(quote, this.#at + 1);
    if (end < 0) throw new MarkupError("unexpected EOF");
    const value = this.#page.slice(this.#at + 1, end);
    if (value.includes("<")) throw new MarkupError("unescaped < inside quoted string");
    this.#at = end + 1;
    return decodeText(value);
  }

  /** Without its namespace: `"meta"` of `"x:meta"`. */
  #readName(what: string): string {
    const name = this.#take(nameBytes);
    if (name === "" || /^[0-9.-]/.test(name) || /:[^:]*:/.test(name)) throw new MarkupError(`expected ${what}`);
    return /^[^:]+:([^:]+)$/.exec(name)?.[1] ?? name;
  }

  #skipInstruction(): void {
    this.#at++;
    const target = this.#readName("target name after <?");
    const content = this.#skipPast("?>");
    if (target !== "xml") return;
    const version = /version\s*=\s*["']([^"']*)["']/.exec(content)?.[1] ?? "1.0";
    const encoding = /encoding\s*=\s*["']([^"']*)["']/.exec(content)?.[1] ?? "utf-8";
    if (version !== "1.0") throw new MarkupError("unsupported version of XML");
    if (!/^(?:utf-8|ascii)$/i.test(encoding)) throw new MarkupError("can't decode XML document using charset");
  }

  #skipDeclaration(): void {
    if (this.#page.startsWith("!--", this.#at)) {
      this.#at += 3;
      if (this.#skipPast("--") !== undefined) this.#expect(">", "no -- in a comment");
    } else if (this.#page.startsWith("![CDATA[", this.#at)) this.#skipPast("]]>");
    else if (/[-[]/.test(this.#page[this.#at + 1] ?? "")) throw new MarkupError("invalid sequence after <!");
    else this.#skipDirective();
  }

  /** `<!DOCTYPE …>`, in which brackets may stand in quotes, and others in each other. */
  #skipDirective(): void {
    let depth = 1;
    for (let quote = ""; depth > 0; this.#at++) {
      const byte = this.#page[this.#at];
      if (byte === undefined) throw new MarkupError("unexpected EOF");
      if (quote !== "") quote = byte === quote ? "" : quote;
      else if (byte === '"' || byte === "'") quote = byte;
      else if (byte === ">") depth--;
      else if (byte === "<") depth++;
    }
  }

  #skipPast(end: string): string {
    const found = this.#page.indexOf(end, this.#at);
    if (found < 0) throw new MarkupError("unexpected EOF");
    const skipped = this.#page.slice(this.#at, found);
    this.#at = found + end.length;
    return skipped;
  }

  #take(what: RegExp): string {
    what.lastIndex = this.#at;
    const taken = what.exec(this.#page)?.[0] ?? "";
    this.#at += taken.length;
    return taken;
  }

  #expect(byte: string, what: string): void {
    if (this.#page[this.#at] !== byte) throw new MarkupError(`expected ${what}`);
    this.#at++;
  }
}

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", apos: "'", quot: '"' };

/** What is in most texts: nothing to replace, and nothing to refuse. */
const plain = /^[\t\n\x20-\x25\x27-\x7e]*$/;

/** A text with its entities replaced; those that are not known stay. Throws `MarkupError` for what is no text of UTF-8. */
function decodeText(bytes: string): string {
  if (plain.test(bytes)) return bytes;
  const text = Buffer.from(bytes, "latin1").toString();
  if (Buffer.byteLength(text) !== bytes.length || Buffer.from(text).toString("latin1") !== bytes) {
    throw new MarkupError("invalid UTF-8");
  }
  if (/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(text)) throw new MarkupError("illegal character code");
  return text
    .replace(/\r\n?/g, "\n")
    .replace(/&(?:#(\d{1,9})|#x([0-9a-fA-F]{1,8})|([a-z]{2,4}));/g, (all, decimal, hex, name: string | undefined) => {
      if (name !== undefined) return (Object.hasOwn(entities, name) ? entities[name] : undefined) ?? all;
      const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
      return code <= 0x10ffff ? String.fromCodePoint(code) : all;
    });
}
