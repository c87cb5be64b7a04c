// What `git archive` does to a file's content as go runs it (core.autocrlf=input, core.eol=lf): git's convert.c.

import { AttributeError } from "./attribute-error.ts";
import type { ConversionAttributes } from "./attributes.ts";
import { expandIdent } from "./ident.ts";
import { addCarriageReturns, TextStatistics } from "./line-ends.ts";
import { readEncoding, type TextEncoding } from "./text-encoding.ts";
import { whole } from "./whole.ts";

/** A blob that can be read any number of times. */
export interface StoredContent {
  readonly id: string;
  /** Bytes. */
  readonly size: number;
  chunks(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** How a file leaves the repository. */
export interface Conversion {
  readonly ident: boolean;
  /** Lone line feeds become CRLF: in every file, or in those only that are text without any CR. */
  readonly crlf: "never" | "always" | "in-text";
  readonly encoding: TextEncoding | undefined;
}

/** Bytes of a file that is converted in one piece: no text that expands `$Id$` or is UTF-16 is longer. */
const longestPiece = 16 << 20;

/** What the attributes of a file mean; `undefined` where its content stays as it is. Throws `AttributeError`. */
export function conversionOf(attributes: ConversionAttributes): Conversion | undefined {
  const ident = attributes.ident === true;
  const encoding = readEncoding(attributes["working-tree-encoding"]);
  const crlf = crlfOf(attributes);
  return ident || encoding !== undefined || crlf !== "never" ? { ident, crlf, encoding } : undefined;
}

type LineEnds = "unspecified" | "binary" | "text" | "auto";

function crlfOf(attributes: ConversionAttributes): Conversion["crlf"] {
  const text = lineEnds(attributes.text);
  const action = text === "unspecified" ? lineEnds(attributes.crlf) : text;
  if (action === "binary" || attributes.eol !== "crlf") return "never";
  return action === "auto" ? "in-text" : "always";
}

function lineEnds(value: true | false | string | undefined): LineEnds {
  if (value === true || value === "input") return "text";
  if (value === false) return "binary";
  return value === "auto" ? "auto" : "unspecified";
}

/** The file's content as it leaves the repository, with its size: what that takes to know is read first. */
export async function convert(stored: StoredContent, conversion: Conversion): Promise<StoredContent> {
  if (conversion.ident || conversion.encoding !== undefined) return convertWhole(stored, conversion);
  if (conversion.crlf === "never") return stored;
  const statistics = new TextStatistics();
  for await (const chunk of stored.chunks()) statistics.add(chunk);
  if (!gainsCarriageReturns(statistics, conversion)) return stored;
  return {
    id: stored.id,
    size: stored.size + statistics.loneLineFeeds,
    chunks: () => addCarriageReturns(stored.chunks()),
  };
}

function gainsCarriageReturns(statistics: TextStatistics, { crlf }: Conversion): boolean {
  if (crlf === "never" || statistics.loneLineFeeds === 0) return false;
  return crlf === "always" || (statistics.carriageReturns === 0 && !statistics.isBinary);
}

async function convertWhole(stored: StoredContent, conversion: Conversion): Promise<StoredContent> {
  if (stored.size > longestPiece) {
    const message = `a file of ${stored.size} bytes is to be converted by its attributes, and may have ${longestPiece}`;
    throw new AttributeError("too-large-to-convert", message);
  }
  let content: Uint8Array = await whole(stored.chunks());
  if (conversion.ident) content = expandIdent(content, stored.id);
  const statistics = new TextStatistics();
  statistics.add(content);
  if (gainsCarriageReturns(statistics, conversion)) content = await whole(addCarriageReturns([content]));
  if (conversion.encoding !== undefined) content = conversion.encoding(content);
  return { id: stored.id, size: content.length, chunks: () => [content] };
}
