import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalVersion, check } from "../../../lambda/golang/module.ts";
import { parseInfo } from "../../../lambda/proxy/sources/version-info.ts";
import { mutate, pick, seededRandom } from "../../support/mutation.ts";
import { askXmod, skipWithoutGo } from "../../support/xmod.ts";
import { inputCount } from "../../support/xmod-agreement.ts";

// What Go's own decoder reads out of an `.info`, and what we read. We refuse what names no version of the module, and a
// time whose year in UTC has not four digits; and we take an empty Time and an Origin that is not what it should be, which
// Go does not: no such thing is made here.

const path = "example.com/m";
const random = seededRandom(1314);

const names = ["Version", "version", "VERSION", "Ver\\u0073ion", "Verſion", "Time", "time", "TIME", "Origin", "origin"];
const times = [
  ...["2024-01-23T19:54:04Z", "2024-01-23T19:54:04+01:00", "2024-01-23T19:54:04.120-23:59", "0001-01-01T00:00:00Z"],
  ...["0001-01-01T00:00:00+00:00", "0000-01-01T00:00:00Z", "0000-12-31T23:00:00-01:00", "0099-02-28T00:00:00Z"],
  ...["0100-02-29T00:00:00Z", "0400-02-29T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "2024-02-29T5:06:07,5Z"],
  ...["2024-02-30T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:00:60Z", "2024-01-01T00:00:00+24:60"],
  ...["2024-01-01T00:00:00+25:00", "2024-01-01T00:00:00.Z", "2024-01-01t00:00:00z", "2024-01-01", "24"],
];
const versions = ["v1.0.0", "v1.2.3-rc.1", "v2.0.0+incompatible", "v1.0", "v2.0.0", "main", ""];

function timeValue(): string {
  return `"${random(3) === 0 ? mutate(random, times, [..."0123456789-:.,TZ+ "]) : pick(random, times)}"`;
}

/** JSON text, near what such a field has. */
function value(name: string): string {
  if (random(8) === 0) return pick(random, ["null", " null ", "1", "true", "[]", "{}", '"\\u0000"']);
  if (/^t/i.test(name)) return timeValue();
  if (/^v/i.test(name)) return JSON.stringify(pick(random, versions));
  const members = Array.from({ length: random(4) }, () => {
    const field = pick(random, ["VCS", "vcs", "URL", "Hash", "hash", "TagSum", "tagſum", "Ref", "RepoSum", "More"]);
    return `"${field}":${pick(random, ['"a"', '"b"', '""', "null"])}`;
  });
  return `{${members.join(",")}}`;
}

function info(): string {
  const members = Array.from({ length: 1 + random(5) }, () => {
    const name = pick(random, names);
    // An origin of another kind is dropped here and refused by Go.
    const told = value(name);
    return `"${name}":${/^o/i.test(name) && !/^[{ n]/.test(told) ? "{}" : told}`;
  });
  const text = `{"Version":"v1.0.0",${members.join(pick(random, [",", " ,\n"]))}}`;
  if (random(4) > 0) return text;
  return mutate(random, [text], [...'{}[]",:\\ \n\t0é', "null", '"a":{"Version":"x"},', '"Time":null,']);
}

interface Read {
  readonly version: string;
  readonly time: string;
  readonly origin: Readonly<Record<string, string>>;
}

function ours(text: string): Read | "refused" {
  try {
    const { version, time = "", origin = {} } = parseInfo(path, Buffer.from(text));
    return { version, time, origin: { ...origin } as Record<string, string> };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "upstream-failed") return "refused";
    throw error;
  }
}

function isOurs({ version, time }: Read): boolean {
  try {
    check(path, version);
  } catch {
    return false;
  }
  return canonicalVersion(version) === version && /^(?:\d{4}-|$)/.test(time);
}

test("an .info says what Go's decoder reads out of it", { skip: skipWithoutGo }, async () => {
  const texts = Array.from({ length: inputCount }, info).filter((text) => !/"time"\s*:\s*""/i.test(text));
  const fn = "info.read";
  const answers = await askXmod(texts.map((text) => ({ fn, args: [Buffer.from(text).toString("base64")] })));
  let taken = 0;
  for (const [i, text] of texts.entries()) {
    const answer = answers[i];
    const theirs = answer?.ok as Read | null | undefined;
    const expected = answer?.err === undefined && theirs && isOurs(theirs) ? theirs : "refused";
    assert.deepEqual(ours(text), expected, `${text} (Go: ${answer?.err ?? "ok"})`);
    if (expected !== "refused") taken++;
  }
  assert.ok(taken > inputCount / 10, `only ${taken} were taken`);
});
