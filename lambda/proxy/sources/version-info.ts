import { foldName, JsonError, type JsonMember, jsonMembers } from "../../golang/json-object.ts";
import { escapeVersion } from "../../golang/module.ts";
import { isPseudoVersion, pseudoVersionTime } from "../../golang/pseudo.ts";
import { longestVersion, type ModuleVersion } from "../store/layout.ts";
import { isVersionOf } from "../store/module-version.ts";
import { ServedError } from "../store/served-error.ts";

/** What `.info` says of a version; `time` is RFC 3339 in Z, `origin` as the upstream gave it when it was an object. */
export interface VersionInfo {
  readonly version: string;
  readonly time: string | undefined;
  readonly origin: Readonly<Record<string, unknown>> | undefined;
}

/** No honest `.info` is longer (in bytes): it has three fields and those of an origin. It is read in one go. */
export const infoLimit = 128 * 1024;

/** What Go's time.Parse takes for RFC 3339: hours of one digit and a comma too. */
const dateTime = /^(\d{4}-\d\d-\d\d)T(\d{1,2})(:\d\d:\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)$/;

/**
 * Reads an upstream's `.info` answer for `module`, whatever it calls itself, as the go command reads it.
 *
 * Names count without case, the last of several counts, and `null` is as if it were not there. Go's zero time, which the
 * go command writes where it knows none, is no time. Throws `ServedError` "upstream-failed" for anything but a JSON object
 * with a canonical `Version` of the module's path and, where present, an RFC 3339 `Time`: an HTML page, `null` and cut
 * JSON all end here.
 */
export function parseInfo(path: string, bytes: Uint8Array): VersionInfo {
  const { version, time, origin } = readFields(members(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)));
  if (version === undefined) throw malformed("has no Version");
  requireVersionOf(path, version);
  const written = origin.size === 0 ? undefined : Object.fromEntries(origin);
  return { version, time: isPseudoVersion(version) ? pseudoTime(version) : time, origin: written };
}

interface Fields {
  version: string | undefined;
  time: string | undefined;
  readonly origin: Map<string, string>;
}

function readFields(object: readonly JsonMember[]): Fields {
  const fields: Fields = { version: undefined, time: undefined, origin: new Map() };
  for (const { name, value } of object) {
    if (name === "origin") readOrigin(fields.origin, value);
    if (value === "null") continue;
    if (name === "version") fields.version = readString(value);
    if (name === "time") fields.time = parseTime(value);
  }
  return fields;
}

function members(text: string): readonly JsonMember[] {
  try {
    return jsonMembers(text);
  } catch (error) {
    if (error instanceof JsonError) throw malformed(error.message, error);
    throw error;
  }
}

function readString(json: string): string {
  const value: unknown = json.startsWith('"') ? JSON.parse(json) : undefined;
  if (typeof value !== "string") throw malformed("has a Version that is no string");
  return value;
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

function requireVersionOf(path: string, version: string): void {
  if (!isVersionOf(path, version)) throw malformed("names a version that this module cannot have");
  if (escapeVersion(version).length > longestVersion(path)) throw malformed("names a version that is too long");
}

/**
 * `"2024-01-23T19:54:04+01:00"` becomes `"2024-01-23T18:54:04Z"`; fractions of a second stay as they are, to the nanosecond.
 *
 * Like Go, looks at the text between the quotes without its escapes.
 */
function parseTime(json: string): string | undefined {
  if (json === '""') return undefined;
  const match = json.startsWith('"') ? dateTime.exec(json.slice(1, -1)) : null;
  if (match === null) throw malformed("has a Time that is not RFC 3339");
  const [, date, hour = "", minutes, fraction = "", zone = "Z"] = match;
  const written = `${date}T${hour.padStart(2, "0")}${minutes}.000Z`;
  const local = new Date(written);
  if (Number.isNaN(local.getTime()) || local.toISOString() !== written)
    throw malformed("has a Time that does not exist");
  const utc = new Date(local.getTime() - offsetMinutes(zone) * 60_000).toISOString();
  if (utc.length !== written.length) throw malformed("has a Time that does not exist");
  const time = `${utc.slice(0, 19)}${nanoseconds(fraction)}Z`;
  return time === zeroTime ? undefined : time;
}

/** Go's `time.Time{}`. */
const zeroTime = "0001-01-01T00:00:00Z";

/** A pseudo-version names its own commit time; real upstreams say others (the author's, the day they fetched it). */
function pseudoTime(version: string): string {
  return `${pseudoVersionTime(version).toISOString().slice(0, 19)}Z`;
}

/** `"1200"` becomes `".12"`, and nothing at all `""`. */
function nanoseconds(digits: string): string {
  const trimmed = digits.slice(0, 9).replace(/0+$/, "");
  return trimmed === "" ? "" : `.${trimmed}`;
}

/** The limits are those of Go's time.Parse. */
function offsetMinutes(zone: string): number {
  if (zone === "Z") return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 24 || minutes > 60) throw malformed("has a Time with a zone that does not exist");
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}

const originFields: ReadonlyMap<string, string> = new Map(
  ["VCS", "URL", "Subdir", "Hash", "TagPrefix", "TagSum", "Ref", "RepoSum"].map((name) => [foldName(name), name]),
);

/**
 * Sets the fields of x/mod's `modfetch/codehost.Origin` that are strings; anything else in there is dropped, and so is an
 * origin that is no object, which Go would refuse: nobody depends on it.
 */
function readOrigin(origin: Map<string, string>, json: string): void {
  if (json === "null") origin.clear();
  if (!json.startsWith("{")) return;
  for (const { name, value } of members(json)) {
    const field = originFields.get(name);
    if (field === undefined || !value.startsWith('"')) continue;
    const text: unknown = JSON.parse(value);
    if (typeof text !== "string") continue;
    if (text === "") origin.delete(field);
    else origin.set(field, text);
  }
}

function malformed(what: string, cause?: unknown): ServedError {
  return new ServedError("upstream-failed", `its version information ${what}`, { cause });
}
