import { blockShards, type KeyValues, shardOf } from "./access-settings.ts";
import type { Hmac } from "./hmac.ts";
import { fingerprint } from "./revocations.ts";
import type { RoutedPath } from "./routed-path.ts";

// What is blocked: the texts `b 0` to `b 2047`. Each is entries of 9 characters, one after the other: 48 bits that stand for a
// module or a version of one, and the day from which on it is blocked no longer, as the character of its number since 1970. Those
// of a module are in the text by its path. Of a module with very many an entry with a "!" in place of the day says so, and those of
// its versions are in the texts by path and version. lambda/access/block-list.ts writes them.

/** The key of the text with the entries of a module, or of a version of one: `"a.example/x@v1.0.0"`. */
export function blockKey(name: string): string {
  return `b ${shardOf(name, blockShards)}`;
}

/**
 * Returns the line for who asks for something blocked; empty for what is not, undefined where that cannot be read. It reads
 * one text, and a second one of a module with very many entries.
 */
export function blockLine(
  routed: RoutedPath,
  context: { readonly keyValues: KeyValues; readonly hmac: Hmac; readonly now: () => number },
): string | undefined {
  const text = context.keyValues.text;
  const hmac = context.hmac;
  const module = routed.module as string;
  const version = routed.version;
  const name = version ? `${module}@${version}` : module;
  const entries = text(blockKey(module));
  if (!entries) return entries;
  const whole = fingerprint(module, hmac);
  const own = entries.indexOf(`${whole}!`) < 0 ? "" : text(blockKey(name));
  if (own === undefined) return own;
  // An end after today; neither in a fingerprint nor in a day is there anything that a pattern takes for its own.
  const found = new RegExp(`(${whole}|${fingerprint(name, hmac)})[^!-${String.fromCharCode(context.now() / 86_400)}]`);
  return found.test(entries + own) ? `blocked: modfront explain ${name}` : "";
}
