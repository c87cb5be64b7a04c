import { printable } from "../../../golang/shown-text.ts";
import { AttributeError } from "./attribute-error.ts";

/** UTF-8 in another encoding. What is not UTF-8 stays as it is, as git leaves it. */
export type TextEncoding = (content: Uint8Array) => Uint8Array;

const bigEndian = (units: Buffer) => units.swap16();
const littleEndian = (units: Buffer) => units;

/** Written as glibc's iconv does on the machines that go's own proxies run on: UTF-16 is little-endian with a mark. */
const encodings: Readonly<Record<string, TextEncoding>> = {
  "16": reencoder("\ufeff", littleEndian),
  "16le": reencoder("", littleEndian),
  "16be": reencoder("", bigEndian),
  "16le-bom": reencoder("\ufeff", littleEndian),
  "16be-bom": reencoder("\ufeff", bigEndian),
};

/**
 * The encoding that an attribute names; `undefined` for UTF-8 and for none.
 *
 * Throws `AttributeError` "unsupported-encoding" for all but UTF-16, and for an attribute that is set or unset without a
 * value, on which git dies.
 */
export function readEncoding(value: true | false | string | undefined): TextEncoding | undefined {
  if (value === undefined || value === "") return undefined;
  const name =
    typeof value === "string" ? /^utf-?(8|16(?:[bl]e(?:-bom)?)?)$/i.exec(value)?.[1]?.toLowerCase() : undefined;
  if (name === "8") return undefined;
  const encoding = name === undefined ? undefined : encodings[name];
  if (encoding !== undefined) return encoding;
  const shown = typeof value === "string" ? `${printable(value, 60)}: it can be UTF-8 or UTF-16` : "without a name";
  throw new AttributeError("unsupported-encoding", `a file has a working-tree-encoding ${shown}`);
}

function reencoder(mark: string, order: (units: Buffer) => Buffer): TextEncoding {
  return (content) => {
    const units = content.length === 0 ? undefined : unitsOf(content);
    return units === undefined ? content : order(Buffer.concat([Buffer.from(mark, "utf16le"), ...units]));
  };
}

/** Bytes that are decoded at a time: a string of a whole file would be one allocation, too large for a heap that is nearly full. */
const piece = 256 << 10;

/** The content in UTF-16, little-endian; `undefined` where it is not UTF-8. */
function unitsOf(content: Uint8Array): readonly Buffer[] | undefined {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const units: Buffer[] = [];
  try {
    for (let at = 0; at < content.length; at += piece) {
      const stream = at + piece < content.length;
      units.push(Buffer.from(decoder.decode(content.subarray(at, at + piece), { stream }), "utf16le"));
    }
  } catch {
    return undefined;
  }
  return units;
}
