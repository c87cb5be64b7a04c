import assert from "node:assert/strict";
import { test } from "node:test";
import { checkInfo, formatInfo, parseInfo } from "../../../lambda/proxy/sources/version-info.ts";

const path = "example.com/m";
const parse = (text: string, module = path) => parseInfo(module, Buffer.from(text));
const pseudo = "v0.0.0-20240102030405-0123456789ab";

/** What an upstream says, and what we say of it. */
const taken: readonly (readonly [said: string, ours: string])[] = [
  ['{"Version":"v1.0.0"}', '{"Version":"v1.0.0"}'],
  ['{"Version":"v1.0.0","Time":""}', '{"Version":"v1.0.0"}'],
  ['{"Version":"v1.0.0","Time":"2024-01-23T19:54:04+01:00"}', '{"Version":"v1.0.0","Time":"2024-01-23T18:54:04Z"}'],
  [
    '{"Version":"v1.0.0","Time":"2024-01-23T00:10:04.120-23:59"}',
    '{"Version":"v1.0.0","Time":"2024-01-24T00:09:04.12Z"}',
  ],
  ['{"Version":"v1.0.0","Time":"2024-02-29T00:00:00.000Z"}', '{"Version":"v1.0.0","Time":"2024-02-29T00:00:00Z"}'],
  // As Go's decoder has it: names without case, the last one counts, and null is nothing.
  ['{"version":"v1.0.0","TIME":"2024-01-23T00:00:00Z"}', '{"Version":"v1.0.0","Time":"2024-01-23T00:00:00Z"}'],
  ['{"Version":"v1.0.0","version":"v1.1.0"}', '{"Version":"v1.1.0"}'],
  ['{"version":"v1.0.0","Version":"v1.1.0"}', '{"Version":"v1.1.0"}'],
  ['{"Version":"v1.0.0","version":"v1.1.0","Version":"v1.2.0"}', '{"Version":"v1.2.0"}'],
  ['{"Version":"v1.0.0","Version":null}', '{"Version":"v1.0.0"}'],
  ['{"Ver\\u0073ion":"v1\\u002e0.0"}', '{"Version":"v1.0.0"}'],
  ['{"Ver\u017fion":"v1.0.0"}', '{"Version":"v1.0.0"}'],
  ['{"Version":"v1.0.0","Time":null}', '{"Version":"v1.0.0"}'],
  [
    '{"Version":"v1.0.0","Time":"2024-01-23T00:00:00Z","Time":null}',
    '{"Version":"v1.0.0","Time":"2024-01-23T00:00:00Z"}',
  ],
  // What the go command writes into its module cache where it knows no time.
  ['{"Version":"v1.0.0","Time":"0001-01-01T00:00:00Z"}', '{"Version":"v1.0.0"}'],
  ['{"Version":"v1.0.0","Time":"0001-01-01T01:00:00+01:00"}', '{"Version":"v1.0.0"}'],
  ['{"Version":"v1.0.0","Time":"0001-01-01T00:00:01Z"}', '{"Version":"v1.0.0","Time":"0001-01-01T00:00:01Z"}'],
  ['{"Version":"v1.0.0","Time":"0099-02-03T00:00:00Z"}', '{"Version":"v1.0.0","Time":"0099-02-03T00:00:00Z"}'],
  ['{"Version":"v1.0.0","Time":"0000-01-01T00:00:00Z"}', '{"Version":"v1.0.0","Time":"0000-01-01T00:00:00Z"}'],
  [
    '{"Version":"v1.0.0","Time":"2024-01-23T5:06:07,1234567891Z"}',
    '{"Version":"v1.0.0","Time":"2024-01-23T05:06:07.123456789Z"}',
  ],
  ['{"Version":"v1.0.0","Time":"2024-01-02T00:00:00+24:60"}', '{"Version":"v1.0.0","Time":"2023-12-31T23:00:00Z"}'],
  ['{"Version":"v1.0.0","x":{"Version":"v9"},"y":["}",{}],"z":"\\\\\\"}"}', '{"Version":"v1.0.0"}'],
  [' {\n"Version" :\t"v1.0.0"\r}\n', '{"Version":"v1.0.0"}'],
  [
    '{"Version":"v1.0.0","Origin":{"vcs":"git","Hash":"a","hash":"b","Hash":null},"origin":{"ref":"r"}}',
    '{"Version":"v1.0.0","Origin":{"VCS":"git","Hash":"b","Ref":"r"}}',
  ],
  ['{"Version":"v1.0.0","Origin":{"VCS":"git"},"Origin":null}', '{"Version":"v1.0.0"}'],
  [`{"Version":"v1.0.0","x":${"[".repeat(9_999)}${"]".repeat(9_999)}}`, '{"Version":"v1.0.0"}'],
  // A pseudo-version names its own time, whatever the upstream says.
  [`{"Version":"${pseudo}","Time":"2020-01-01T00:00:00Z"}`, `{"Version":"${pseudo}","Time":"2024-01-02T03:04:05Z"}`],
  [
    '{"Version":"v1.0.0","Origin":{"VCS":"git","Hash":"abc","Evil":{"a":1},"Ref":7},"More":1}',
    '{"Version":"v1.0.0","Origin":{"VCS":"git","Hash":"abc"}}',
  ],
  ['{"Version":"v1.0.0","Origin":"git"}', '{"Version":"v1.0.0"}'],
  ['{"Version":"v1.0.0","Origin":{}}', '{"Version":"v1.0.0"}'],
  ['{"__proto__":{"Version":"v9.0.0"},"Version":"v1.0.0"}', '{"Version":"v1.0.0"}'],
];

test("what is served is written anew from what was understood", () => {
  for (const [said, ours] of taken) assert.equal(Buffer.from(formatInfo(parse(said))).toString(), ours, said);
});

const refused: readonly string[] = [
  "",
  "null",
  "[]",
  '"v1.0.0"',
  "<html>",
  '{"Version":"v1.0.0"',
  "{}",
  '{"Version":1}',
  '{"Vers":"v1.0.0"}',
  // No file could have such a name: 255 bytes, escaped and with `.info`.
  `{"Version":"v1.0.0-${"a".repeat(244)}"}`,
  `{"Version":"v1.0.0-${"A".repeat(122)}"}`,
  '{"Version":null}',
  '{"Version":1,"version":"v1.0.0"}',
  '{"Version":["v1.0.0"]}',
  '\ufeff{"Version":"v1.0.0"}',
  '{"Version":"v1.0.0"}{}',
  `{"Version":"v1.0.0","x":${"[".repeat(10_000)}${"]".repeat(10_000)}}`,
  `${"[".repeat(100_000)}${"]".repeat(100_000)}`,
  '{"Version":"v1"}',
  '{"Version":"v1.0"}',
  '{"Version":"main"}',
  '{"Version":"v2.0.0"}',
  '{"Version":"v1.0.0/../x"}',
  '{"Version":"v1.0.0","Time":"yesterday"}',
  '{"Version":"v1.0.0","Time":1}',
  '{"Version":"v1.0.0","Time":"2024\\u002d01-01T00:00:00Z"}',
  '{"Version":"v1.0.0","Time":"yesterday","Time":"2024-01-01T00:00:00Z"}',
  '{"Version":"v1.0.0","Time":"2024-01-01t00:00:00Z"}',
  '{"Version":"v1.0.0","Time":"0100-02-29T00:00:00Z"}',
  '{"Version":"v1.0.0","Time":"0000-01-01T00:00:00+00:01"}',
  '{"Version":"v1.0.0","Time":"2024-02-30T00:00:00Z"}',
  '{"Version":"v1.0.0","Time":"2023-02-29T00:00:00Z"}',
  '{"Version":"v1.0.0","Time":"2024-01-01T24:00:00Z"}',
  '{"Version":"v1.0.0","Time":"2024-01-01T00:00:00+25:00"}',
  '{"Version":"v1.0.0","Time":"2024-01-01T00:00:00+00:61"}',
  '{"Version":"v1.0.0","Time":"9999-12-31T23:59:59-01:00"}',
];

test("anything else is the upstream's failure", () => {
  for (const said of refused) assert.throws(() => parse(said), { code: "upstream-failed" }, said);
});

test("the information of another version is refused", () => {
  checkInfo({ path, version: "v1.0.0" }, parse('{"Version":"v1.0.0"}'));
  const wrong = () => checkInfo({ path, version: "v1.0.1" }, parse('{"Version":"v1.0.0"}'));
  assert.throws(wrong, { code: "upstream-failed" });
});
