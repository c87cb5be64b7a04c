import { privateKey, privateShards, tenantKey } from "../edge/access-settings.ts";
import { CodedError } from "../golang/coded-error.ts";

/** CloudFront's limit for one value, in bytes. */
export const maxValue = 1024;

/** Patterns of private modules as the edge finds them. */
export interface PrivateTexts {
  /** Those that are in no text: shorter than two elements, or with a glob in the first two. */
  readonly others: readonly string[];
  /** All texts `p 0` to `p 255`, by key. */
  readonly texts: ReadonlyMap<string, readonly string[]>;
}

/** Both elements literal: only then has every module that the pattern matches the same key. */
const twoLiteralElements = /^[^/*?[\\]+\/[^/*?[\\]+(?:\/|$)/;

/** Lays patterns out by the first two elements of their paths. */
export function layOutPrivate(patterns: readonly string[]): PrivateTexts {
  const texts = new Map<string, string[]>();
  for (let shard = 0; shard < privateShards; shard++) texts.set(`p ${shard}`, []);
  const others: string[] = [];
  for (const pattern of new Set(patterns)) {
    const key = twoLiteralElements.test(pattern) ? privateKey(pattern) : undefined;
    (key === undefined ? others : texts.get(key))?.push(pattern);
  }
  return { others, texts };
}

/**
 * Returns patterns of private modules as the value of a text.
 *
 * Throws `CodedError` "private-full" when they do not fit, naming the first that does not and what to do.
 */
export function packPrivate(patterns: readonly string[]): string {
  const value = `=${patterns.join(",")}`;
  if (isValue(value)) return value;
  const beyond = patterns.find((_, i) => !isValue(`=${patterns.slice(0, i + 1).join(",")}`)) ?? "";
  const wider = beyond.split("/").slice(0, 2).join("/");
  throw new CodedError(
    "private-full",
    `private: there is no room for ${beyond} beside the other patterns of its place: use a wider one, as ${wider}`,
  );
}

/** Returns the patterns of a tenant as the value of its text. Throws `CodedError` "private-full" when they do not fit. */
export function packTenant(name: string, patterns: readonly string[]): readonly [key: string, value: string] {
  const value = `=${patterns.join(",")}`;
  if (isValue(value)) return [tenantKey(name), value];
  throw new CodedError(
    "private-full",
    `tenants.${name}.modules: ${Buffer.byteLength(value) - 1} bytes of patterns, and ${maxValue - 1} fit: use wider ones, or two tenants`,
  );
}

/** True for what CloudFront takes as a value. */
export function isValue(text: string): boolean {
  return Buffer.byteLength(text) <= maxValue;
}
