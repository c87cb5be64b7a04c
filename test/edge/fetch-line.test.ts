import assert from "node:assert/strict";
import { before, test } from "node:test";
import fc from "fast-check";
import { createToken } from "../../lambda/access/tokens.ts";
import { type Fetches, fetchLine } from "../../lambda/edge/fetch-line.ts";
import type { Identity } from "../../lambda/edge/token.ts";
import { bundleEdge } from "../../lib/edge-bundle.ts";
import { runEdge, type Viewer } from "../support/edge-runtime.ts";
import { basic, edgeValues, MemoryTokenStore } from "../support/tokens.ts";

const now = Math.floor(Date.now() / 1000);
const codes = {
  none: bundleEdge("protocol", "none"),
  private: bundleEdge("protocol", "private"),
  all: bundleEdge("protocol", "all"),
} as const;
const tenants = { payments: "pay.example/a" };
const store = new MemoryTokenStore();
const people: Record<string, { readonly header: string; readonly id: string }> = {};

before(async () => {
  const make = async (name: string, subject: string, role: string, modules: string) => {
    const made = await createToken(store, { subject, role, modules, days: 1 }, now, { tenants: ["payments"] });
    people[name] = { header: basic(made.token), id: made.record.id };
  };
  await make("paying", "ci bot+100%, of us", "publisher", "@payments");
  await make("other", "eve", "viewer", "corp.example");
});

/** What CloudFront is told of a request. */
async function notesOf(viewer: Viewer, fetches: Fetches, anonymous: "none" | "public" | "all", who?: string) {
  const values = edgeValues({ anonymous, private: "pay.example/a,corp.example", tenants }, store.state, now);
  const notes: string[] = [];
  const headers = { ...(who && { authorization: { value: people[who]?.header ?? who } }) };
  await runEdge(
    codes[fetches],
    { ...viewer, headers },
    {
      get: async (name) => values.get(name) ?? assert.fail(name),
      note: (line) => void notes.push(line),
    },
  );
  return notes.map((line) => Object.values(people).reduce((text, { id }) => text.replace(id, "ID"), line));
}

const hidden = "/pay.example/a/@v/v1.0.0.zip";
const open = "/golang.org/x/mod/@v/v0.1.0.zip";

test("a fetch is noted once, with who it was and what was decided, where fetches like it are written down", async () => {
  const paying = "allowed,publisher,ID,payments,ci%20bot%2B100%25%2C%20of%20us";
  const rows: readonly (readonly [uri: string, who: string | undefined, of: Partial<Record<Fetches, string>>])[] = [
    [hidden, "paying", { private: paying, all: paying }],
    [hidden, "other", { private: "refused,module,ID,,eve", all: "refused,module,ID,,eve" }],
    [hidden, undefined, { private: "refused,no-token,,,", all: "refused,no-token,,," }],
    [hidden, basic("mf_e30.x"), { private: "refused,malformed,,,", all: "refused,malformed,,," }],
    [open, "paying", { all: paying }],
    [open, undefined, { all: "refused,no-token,,," }],
    ["/sumdb/sum.golang.org/latest", "other", { all: "allowed,viewer,ID,,eve" }],
    ["/sumdb/own.example/lookup/pay.example/a@v1.0.0", "paying", { private: paying, all: paying }],
    // Not fetches, or not yet: the client is sent to another address first.
    ["/", "paying", {}],
    ["/pay.example/a/%40v/list", "paying", {}],
    ["/pay.example/A/@v/list", "paying", {}],
    ["/a.b/../c", "paying", {}],
  ];
  for (const [uri, who, expected] of rows) {
    for (const fetches of ["none", "private", "all"] as const) {
      const line = expected[fetches];
      const noted = await notesOf({ uri }, fetches, "none", who);
      assert.deepEqual(noted, line === undefined ? [] : [line], `${uri} ${who} ${fetches}`);
    }
  }
});

test("where everybody may read everything private fetches are still told from public ones", async () => {
  assert.deepEqual(await notesOf({ uri: hidden }, "private", "all"), ["allowed,anonymous,,,"]);
  assert.deepEqual(await notesOf({ uri: open }, "private", "all"), []);
  assert.deepEqual(await notesOf({ uri: open }, "all", "all"), ["allowed,anonymous,,,"]);
  assert.deepEqual(await notesOf({ uri: open }, "private", "public"), []);
});

test("a method that is none of a fetch is not noted", async () => {
  assert.deepEqual(await notesOf({ uri: hidden, method: "PUT" }, "all", "none", "paying"), []);
});

test("no request fails where its line cannot be written", async () => {
  const values = edgeValues({ anonymous: "none", private: "", tenants }, store.state, now);
  const get = async (name: string) => values.get(name) ?? assert.fail(name);
  const headers = { authorization: { value: people.paying?.header ?? "" } };
  const note = () => {
    throw new Error("full");
  };
  for (const each of [undefined, note]) {
    const answer = await runEdge(codes.all, { uri: open, headers }, { get, note: each });
    assert.equal(answer.uri, open);
    assert.equal(answer.statusCode, undefined);
  }
});

test("whoever a token is for, the line has five fields, no space and no +, and fits after it was encoded again", () => {
  const printable = fc.array(fc.integer({ min: 0x20, max: 0x7e }), { maxLength: 100 });
  fc.assert(
    fc.property(printable, (codes) => {
      const subject = String.fromCharCode(...codes);
      const modules = "@a23456789012345678901234567890123456789012345678901234567890123";
      const line = fetchLine(
        { id: "0abcdef123456789", role: "viewer", subject, modules } satisfies Identity,
        "allowed",
      );
      const fields = line.split(",");
      assert.equal(fields.length, 5);
      assert.equal(decodeURIComponent(fields[4] ?? ""), subject);
      assert.doesNotMatch(line, /[^\x21-\x7e]|\+/);
      assert.ok(encodeURIComponent(line).length < 800);
    }),
  );
});
