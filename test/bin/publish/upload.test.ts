import assert from "node:assert/strict";
import { hash, randomBytes } from "node:crypto";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Publication } from "../../../bin/publish/publication.ts";
import { upload } from "../../../bin/publish/upload.ts";
import { ServedModfront } from "../../../bin/verbs/served-modfront.ts";
import type { Terminal } from "../../../bin/verbs/verb.ts";
import { CodedError } from "../../../lambda/golang/coded-error.ts";
import { RunningCli } from "../../support/cli.ts";
import { dataFolder, makeDataFolder } from "../../support/data-folder.ts";
import { type PublishingReply, ScriptedPublishing } from "../../support/scripted-publishing.ts";

// What is sent to a modfront that is played, and to the place that it names, so that both may fail and lie.

const token = "mf_secret.token";
const sums = { sum: "h1:a=", goModSum: "h1:b=" };
const folder = makeDataFolder();
let server: ScriptedPublishing;
let place: ScriptedPublishing;
let terminal: Terminal;

before(async () => {
  [server, place] = [await ScriptedPublishing.start(), await ScriptedPublishing.start()];
  terminal = {
    ...{ print: assert.fail, write: assert.fail, note: assert.fail, progress: () => {} },
    ...{ readSecret: assert.fail, readLine: assert.fail, platform: process.platform, now: () => 0 },
    environment: { HOME: folder.path, MODFRONT_TOKEN: token },
  };
});

after(async () => {
  await server[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
  folder.remove();
});

const bytes = { small: randomBytes(1000), large: randomBytes(4_000_001) };

function publication(size: keyof typeof bytes = "small"): Publication {
  const file = join(folder.path, size);
  writeFileSync(file, bytes[size]);
  const module = { path: "corp.example/Repo", version: "v1.0.0-RC.1" };
  return { module, file, size: bytes[size].length, files: [], ...sums, tag: "v1.0.0-RC.1", commit: "c0ffee" };
}

const address = "/-/publish/corp.example/!repo/@v/v1.0.0-!r!c.1.zip";
const sha256 = hash("sha256", bytes.large, "hex");
const path = `${address}?tag=v1.0.0-RC.1&commit=c0ffee`;

/** Sends it, with what was said, how long it paused, and what it came to: a result or the error's code and text. */
async function sent(what: Publication, url = server.url) {
  const said: string[] = [];
  const pauses: number[] = [];
  const shown: string[] = [];
  const parts = {
    note: (line: string) => said.push(line),
    progress: (line: string) => shown.push(line),
    pause: async (seconds: number) => pauses.push(seconds),
  };
  try {
    return { said, pauses, shown, result: await upload(await ServedModfront.open(url, terminal), what, parts) };
  } catch (error) {
    assert.ok(error instanceof CodedError, String(error));
    assert.ok(!`${error.message}${said}`.includes(token));
    return { said, pauses, shown, code: error.code, message: error.message };
  }
}

test("a small zip is one request, and the server's hashes must be those of what was sent", async () => {
  for (const [status, isNew] of [
    [201, true],
    [200, false],
  ] as const) {
    server.script({ status, body: { path: "x", version: "y", ...sums } });
    const { result, shown } = await sent(publication());
    assert.deepEqual(result, { isNew });
    const [request] = server.requests;
    assert.deepEqual(
      [request?.method, request?.target, request?.headers.authorization],
      ["PUT", path, `Bearer ${token}`],
    );
    assert.deepEqual(request?.bytes, bytes.small);
    assert.equal(request?.headers["content-length"], "1000");
    assert.deepEqual(shown, ["0.0 of 0.0 MB, 100 %", ""]);
  }
  const wrong = [{ ...sums, sum: "h1:c=" }, { ...sums, goModSum: "h1:c=" }, {}, "not JSON"];
  for (const body of wrong) {
    server.script({ status: 201, body });
    assert.equal((await sent(publication())).code, "other-hash", JSON.stringify(body));
  }
});

test("what is refused for good is not tried again, and says why in the server's words", async () => {
  const stored = { sum: "h1:x=", goModSum: "h1:y=" };
  const rows: readonly (readonly [reply: PublishingReply, code: string, said: RegExp])[] = [
    [{ status: 400, body: { detail: "a name with a colon" } }, "answer", /^a name with a colon$/],
    [{ status: 401, body: { detail: "who?" } }, "answer", /^who\?: modfront login, or a token in MODFRONT_TOKEN$/],
    [{ status: 403, body: "not your module\n" }, "answer", /^not your module$/],
    [{ status: 403, body: `\u001b[2J${"x".repeat(9_000)}` }, "answer", /^\?\[2Jx{996}$/],
    [{ status: 404, body: "<html>", headers: { "content-type": "text/html" } }, "answer", /^answered 404$/],
    [{ status: 413, body: "too large" }, "answer", /^too large$/],
    [{ status: 302, headers: { location: "http://127.0.0.1:1/" } }, "answer", /^answered 302$/],
    [{ status: 507, body: "full" }, "answer", /^full$/],
    [
      { status: 409, body: { detail: "other bytes", stored } },
      "conflict",
      /^other bytes\nstored: h1:x=, go\.mod h1:y=\nhere: {3}h1:a=, go\.mod h1:b=\npublish it as/,
    ],
    [{ status: 409, body: { detail: "not the next" } }, "conflict", /^not the next$/],
  ];
  for (const [reply, expected, text] of rows) {
    server.script(reply);
    const { code, message = "", pauses } = await sent(publication());
    assert.deepEqual([code, pauses, server.requests.length], [expected, [], 1], JSON.stringify(reply));
    assert.match(message, text);
  }
});

test("what may pass is tried again after a pause, as long as the server asks for one", async () => {
  const done = { status: 201, body: sums };
  server.script(
    { status: 503 },
    { status: 429, headers: { "retry-after": "7" }, body: "slowly" },
    { cutAfter: 500 },
    { status: 500 },
    done,
  );
  const { result, said, pauses } = await sent(publication());
  assert.deepEqual(result, { isNew: true });
  assert.equal(pauses.length, 4);
  assert.equal(pauses[1], 7);
  pauses.forEach((pause, i) => {
    assert.ok(i === 1 || (pause <= 2 ** i && pause > 2 ** i / 2), `pause ${i} is ${pause}`);
  });
  assert.match(
    said.join("\n"),
    /: answered 503: trying again in 1 s\n.*: slowly: trying again in 7 s\nno answer from 127\.0\.0\.1:\d+ \(ECONNRESET|EPIPE\)/,
  );
  server.script(
    { status: 429, headers: { "retry-after": "99999" } },
    { status: 429, headers: { "retry-after": "soon" } },
    done,
  );
  const long = await sent(publication());
  assert.deepEqual([long.pauses[0], (long.pauses[1] ?? 9) <= 2], [120, true]);

  server.script({ status: 502 });
  const ended = await sent(publication());
  assert.deepEqual([ended.code, ended.pauses.length], ["answer", 6]);
  assert.match(ended.message ?? "", /: answered 502, 7 times$/);
  const nobody = await sent(publication(), "http://127.0.0.1:1");
  assert.match(nobody.message ?? "", /^no answer from 127\.0\.0\.1:1 \(ECONNREFUSED\), 7 times$/);
});

/** What the server says to a large zip. */
const named = (more: object = {}) => ({
  body: {
    upload: { url: `${place.url}/staged?x=1`, headers: { "x-amz-checksum-sha256": "abc", "if-none-match": "*" } },
    commit: "/-/publish/commit/1",
    ...more,
  },
});

test("a large zip goes to the place that the server names, which is shown no token", async () => {
  server.script(
    named(),
    { status: 202, headers: { location: "/-/publish/commit/2" } },
    { status: 202, headers: { location: `${server.url}/-/publish/commit/3` } },
    { status: 201, body: sums },
  );
  place.script({});
  const { result, shown } = await sent(publication("large"));
  assert.deepEqual(result, { isNew: true });
  const asked = server.requests.map(({ method, target, headers }) => `${method} ${target} ${headers.authorization}`);
  assert.deepEqual(
    asked,
    [
      "/-/publish/corp.example/!repo/@v/v1.0.0-!r!c.1.zip",
      "/-/publish/commit/1",
      "/-/publish/commit/2",
      "/-/publish/commit/3",
    ].map((each) => `POST ${each} Bearer ${token}`),
  );
  assert.deepEqual(JSON.parse(server.requests[0]?.bytes.toString() ?? ""), {
    size: 4_000_001,
    sha256,
    tag: "v1.0.0-RC.1",
    commit: "c0ffee",
  });
  const [put] = place.requests;
  assert.deepEqual([put?.method, put?.target, place.requests.length], ["PUT", "/staged?x=1", 1]);
  assert.deepEqual(put?.bytes, bytes.large);
  const {
    authorization,
    "x-amz-checksum-sha256": checksum,
    "if-none-match": once,
    "transfer-encoding": chunked,
  } = put?.headers ?? {};
  assert.deepEqual([authorization, checksum, once, chunked], [undefined, "abc", "*", undefined]);
  assert.equal(shown.at(-2), "4.0 of 4.0 MB, 100 %");
});

test("a server that names no place takes a large zip itself, and hears how the API was found", async () => {
  server.script({ status: 405 }, { status: 201, body: sums });
  const api = { state: "compared", base: "v0.9.0", verdict: "incompatible", text: "…" } as const;
  assert.deepEqual((await sent({ ...publication("large"), api })).result, { isNew: true });
  assert.deepEqual(server.requests.map(({ method, target, bytes: { length } }) => [method, target, length]).slice(1), [
    ["PUT", `${path}&api=incompatible&base=v0.9.0`, 4_000_001],
  ]);
  const said = { size: 4_000_001, sha256, tag: "v1.0.0-RC.1", commit: "c0ffee", api: "incompatible", base: "v0.9.0" };
  assert.deepEqual(JSON.parse(server.requests[0]?.bytes.toString() ?? ""), said);
  for (const nothing of [{ ...api, base: "none" }, { state: "not-run", why: "no go" } as const]) {
    server.script({ status: 201, body: sums });
    const { tag, commit, ...rest } = publication();
    await sent({ ...rest, api: nothing });
    assert.equal(server.requests[0]?.target, address);
  }
});

test("a place that failed is asked for anew, and what lies there already is committed", async () => {
  const done = { status: 200, body: sums };
  server.script(named(), named(), named(), done);
  place.script({ cutAfter: 100_000 }, { status: 403, body: "expired" }, { status: 412 });
  const { result, said } = await sent(publication("large"));
  assert.deepEqual(result, { isNew: false });
  assert.equal(said.length, 2);
  assert.match(said[1] ?? "", /^the place to send the zip to answered 403: trying again/);
  // What was refused is refused: nothing is sent to the place.
  server.script({ status: 403, body: { detail: "not your module" } });
  place.script({});
  const refused = await sent(publication("large"));
  assert.deepEqual([refused.code, refused.message, place.requests.length], ["answer", "not your module", 0]);
});

test("a server that lies leads neither the zip nor the token anywhere else", async () => {
  place.script({});
  const upload = (url: unknown, headers: unknown = {}) => named({ upload: { url, headers } });
  for (const reply of [
    upload("file:///etc/passwd"),
    upload("ftp://x/"),
    upload(7),
    named({ upload: null }),
    { body: "x" },
  ]) {
    server.script(reply);
    assert.match((await sent(publication("large"))).message ?? "", /names no place/, JSON.stringify(reply));
  }
  for (const commit of [
    `${place.url}/-/x`,
    "//evil.example/-/x",
    "/x",
    7,
    undefined,
    `${server.url}.evil.example/-/x`,
  ]) {
    server.script(named({ commit }));
    assert.match((await sent(publication("large"))).message ?? "", /names no address/, String(commit));
    assert.equal(server.requests.length, 1);
  }
  server.script({ status: 201, body: "x".repeat(300_000) });
  assert.match((await sent(publication())).message ?? "", /no answer.*ETOOLONG.*7 times/);
  server.script(upload(`${place.url}/y`, { "x-a": "b\r\nx: y", "x-c": "d", "x-e": 7 }), { status: 201, body: sums });
  place.script({});
  assert.deepEqual((await sent(publication("large"))).result, { isNew: true });
  const { "x-a": a, "x-c": c, "x-e": e } = place.requests[0]?.headers ?? {};
  assert.deepEqual([a, c, e], [undefined, "d", undefined]);
});

test("whoever breaks it off leaves nothing behind", async (t) => {
  const [module, temporary] = [dataFolder(t), dataFolder(t)];
  writeFileSync(join(module, "go.mod"), "module corp.example/m\n");
  server.script({ status: 503, headers: { "retry-after": "120" } });
  const environment = { HOME: module, TMPDIR: temporary, MODFRONT_TOKEN: token };
  const args = ["publish", module, "--version", "v1.0.0", "--url", server.url];
  await using run = new RunningCli(args, environment);
  await run.said(/trying again in 120 s/);
  const left = () => readdirSync(temporary).filter((name) => name.startsWith("modfront-"));
  assert.equal(left().length, 1);
  run.child.kill("SIGINT");
  assert.equal((await run.ended).code, 130);
  assert.deepEqual(left(), []);
});

test("a token goes over https only, but on this machine", async () => {
  const { code, message } = await sent(publication(), "http://proxy.example");
  assert.deepEqual([code, message], ["usage", "a token goes over https only, but on this machine"]);
});
