import { canonicalVersion, check } from "../../golang/module.ts";
import { isPseudoVersion, pseudoVersionTime } from "../../golang/pseudo.ts";
import type { ModuleVersion } from "../store/layout.ts";
import { ServedError } from "../store/served-error.ts";

/** What `.info` says of a version; `time` is RFC 3339 in Z, `origin` as the upstream gave it when it was an object. */
export interface VersionInfo {
  readonly version: string;
  readonly time: string | undefined;
  readonly origin: Readonly<Record<string, unknown>> | undefined;
}

/** No honest `.info` is longer (in bytes); one of many tags in `Origin` stays far below. */
export const infoLimit = 1024 * 1024;

const dateTime = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/**
 * Reads an upstream's `.info` answer for `module`, whatever it calls itself.
 *
 * Throws `ServedError` "upstream-failed" for anything but a JSON object with a canonical `Version` of the module's
 * path and, where present, an RFC 3339 `Time`: an HTML page, `null` and cut JSON all end here.
 */
export function parseInfo(path: string, bytes: Uint8Array): VersionInfo {
  const value = parseObject(bytes);
  const version = value.Version;
  if (typeof version !== "string") throw malformed("has no Version");
  requireVersionOf(path, version);
  const said = parseTime(value.Time);
  return { version, time: isPseudoVersion(version) ? pseudoTime(version) : said, origin: parseOrigin(value.Origin) };
}

/**
 * Holds the `.info` of a canonical version to what was asked: throws `ServedError` "upstream-failed" when it is about
 * another version.
 */
export function checkInfo(module: ModuleVersion, info: VersionInfo): void {
  if (info.version !== module.version) throw malformed("is of another version");
}

/** The `.info` we serve: our own JSON of what was understood, so that nothing else of the upstream's answer survives. */
export function formatInfo(info: VersionInfo): Uint8Array {
  const fields = { Version: info.version, Time: info.time, Origin: info.origin };
  return new TextEncoder().encode(JSON.stringify(fields));
}

function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw malformed("is not JSON");
  }
  if (!isRecord(value)) throw malformed("is not a JSON object");
  return value;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function requireVersionOf(path: string, version: string): void {
  if (canonicalVersion(version) !== version) throw malformed("names a version that is not canonical");
  try {
    check(path, version);
  } catch (cause) {
    throw malformed("names a version that this module cannot have", cause);
  }
}

/** `"2024-01-23T19:54:04+01:00"` becomes `"2024-01-23T18:54:04Z"`; fractions of a second stay as they are. */
function parseTime(value: unknown): string | undefined {
  if (value === undefined || value === "") return undefined;
  const match = typeof value === "string" ? dateTime.exec(value) : null;
  if (match === null) throw malformed("has a Time that is not RFC 3339");
  const [, year, month, day, hour, minute, second, fraction = "", zone] = match;
  const local = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  const written = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  if (new Date(local).toISOString() !== written) throw malformed("has a Time that does not exist");
  const utc = new Date(local - offsetMinutes(zone ?? "Z") * 60_000).toISOString();
  if (utc.length !== 24) throw malformed("has a Time that does not exist");
  return `${utc.slice(0, 19)}${trimFraction(fraction)}Z`;
}

/** A pseudo-version names its own commit time; real upstreams say others (the author's, the day they fetched it). */
function pseudoTime(version: string): string {
  return `${pseudoVersionTime(version).toISOString().slice(0, 19)}Z`;
}

function trimFraction(fraction: string): string {
  const trimmed = fraction.replace(/0{1,9}$/, "");
  return trimmed === "." ? "" : trimmed;
}

function offsetMinutes(zone: string): number {
  if (zone === "Z") return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 23 || minutes > 59) throw malformed("has a Time with a zone that does not exist");
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}

const originFields = ["VCS", "URL", "Subdir", "Hash", "TagPrefix", "TagSum", "Ref", "RepoSum"] as const;

/** The fields of x/mod's `modfetch/codehost.Origin` that are strings; anything else in there is dropped. */
function parseOrigin(value: unknown): VersionInfo["origin"] {
  if (!isRecord(value)) return undefined;
  const kept = originFields.flatMap((name) => (typeof value[name] === "string" ? [[name, value[name]] as const] : []));
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

function malformed(what: string, cause?: unknown): ServedError {
  return new ServedError("upstream-failed", `its version information ${what}`, { cause });
}
