import assert from "node:assert/strict";
import { test } from "node:test";
import { NetrcCredentials, netrcPaths, parseNetrc } from "../../../lambda/upstream/credentials/netrc.ts";

/** `"machine user:password"`, sorted. */
function shown(text: string): string[] {
  const decoded = (header: string) => Buffer.from(header.replace("Basic ", ""), "base64").toString();
  return [...parseNetrc(text)].map(([machine, { header }]) => `${machine} ${decoded(header)}`).sort();
}

// Those of Go's own test have the same outcome there.
const rows: readonly (readonly [what: string, text: string, expected: readonly string[]])[] = [
  ["nothing", "", []],
  ["one line", "machine a.example login me password secret", ["a.example me:secret"]],
  ["several lines, CRLF and tabs", "machine a\r\n\tlogin me\r\n\tpassword s3\r\n", ["a me:s3"]],
  ["an account between", "machine a login me account x password s", ["a me:s"]],
  ["password before login", "machine a password s login me", ["a me:s"]],
  [
    "the first of a machine that is named twice",
    "machine a login x password 1\nmachine a login y password 2",
    ["a x:1"],
  ],
  ["no password", "machine a login x\nmachine b login y password 2", ["b y:2"]],
  ["a machine by another case", "machine A.Example login x password 1", ["a.example x:1"]],
  ["a port", "machine a:8443 login x password 1", ["a:8443 x:1"]],
  ["default is for nobody, and ends it", "default login x password 1\nmachine a login x password 1", []],
  [
    "macros are passed over up to an empty line",
    "machine a login x password 1\nmacdef init\nmachine evil login e password e\n\nmachine b login y password 2",
    ["a x:1", "b y:2"],
  ],
  ["a comment in a line of its own", "# machine x login y password z\nmachine a login x password 1", ["a x:1"]],
  ["a word without a value", "machine", []],
];

for (const [what, text, expected] of rows) test(`netrc: ${what}`, () => assert.deepEqual(shown(text), expected));

test("a file that is nothing but machines is read in one pass, and no more of it than a limit", () => {
  const line = (i: number) => `machine h${i}.example login l password p\n`;
  const text = Array.from({ length: 60_000 }, (_, i) => line(i)).join("");
  const machines = parseNetrc(text);
  assert.ok(machines.size > 20_000 && machines.size < 60_000, `${machines.size}`);
  assert.equal(parseNetrc(" ".repeat(1 << 22)).size, 0);
  assert.equal(parseNetrc("macdef\n".repeat(1 << 17)).size, 0);
});

test("where netrc files are looked for", () => {
  const files = [
    [{ NETRC: "/n", HOME: "/h" }, "linux", ["/n"]],
    [{ HOME: "/h" }, "darwin", ["/h/.netrc"]],
    [{ USERPROFILE: "C:\\u", HOME: "/h" }, "win32", ["C:\\u\\_netrc", "C:\\u\\.netrc"]],
    [{}, "linux", []],
  ] as const;
  for (const [environment, platform, expected] of files) assert.deepEqual(netrcPaths(environment, platform), expected);
});

test("a file that was changed is read again when a host refuses what it said, at most every ten seconds", async () => {
  let [text, now, reads] = ["machine a.example login x password 1", 0, 0];
  const credentials = new NetrcCredentials(
    async () => {
      reads++;
      return text;
    },
    () => now,
  );
  const shown = async () => (await credentials.authorize(new URL("https://a.example/x"))) ?? assert.fail();
  const first = await shown();
  text = "machine a.example login x password 2";
  assert.equal(await first.renew(), false);
  now += 10_000;
  assert.equal(await first.renew(), true);
  const second = await shown();
  assert.notEqual(second.header, first.header);
  text = "";
  now += 10_000;
  assert.equal(await second.renew(), false, "it is gone");
  assert.equal(reads, 3);
});
