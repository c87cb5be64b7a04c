import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { describe, type TestContext, test } from "node:test";
import { dataFolder } from "../../support/data-folder.ts";
import { ModfrontProcess } from "../../support/modfront-process.ts";
import { filePath, moduleFixture } from "../../support/module-fixture.ts";
import { get } from "../../support/product.ts";
import { ScriptedUpstream } from "../../support/scripted-upstream.ts";

// npm start as a process: how it refuses to start, how it ends, and two of it on one data folder.

/** Flags that would start, but for those that come after them. */
const sound = ["--port", "0", "--log", "off", "--upstream", "http://127.0.0.1:1"];

interface Refused {
  readonly why: string;
  readonly flags: (folder: string) => readonly string[];
  /** What `--config` holds. */
  readonly config?: string;
  readonly code: 1 | 2;
  readonly line: RegExp;
}

const refused: readonly Refused[] = [
  {
    why: "an unknown flag",
    flags: () => ["--nosuch"],
    code: 2,
    line: /^modfront: Unknown option '--nosuch'; usage: npm start -- /,
  },
  {
    why: "an upstream without its flag, whose password is nobody's business",
    flags: () => ["https://me:s3cret@proxy.example"],
    code: 2,
    line: /^modfront: Unexpected argument 'https:\/\/proxy\.example'/,
  },
  { why: "an argument", flags: () => ["start"], code: 2, line: /^modfront: Unexpected argument 'start'.*; usage: / },
  {
    why: "a port that is none",
    flags: () => ["--port", "http"],
    code: 2,
    line: /^modfront: --port takes a number from 0 to 65535$/,
  },
  {
    why: "an upstream that is none",
    flags: () => ["--upstream", "ftp://x"],
    code: 2,
    line: /^modfront: .*upstream.* is not an http or https URL, direct or off$/,
  },
  {
    why: "a log format that is none",
    flags: () => ["--log", "loud"],
    code: 2,
    line: /^modfront: --log takes text, json or off$/,
  },
  {
    why: "a configuration file that is not there",
    flags: (folder) => ["--config", join(folder, "nosuch")],
    code: 2,
    line: /^modfront: the configuration file cannot be read$/,
  },
  {
    why: "a wrong key",
    config: '{"upstrems":[]}',
    flags: () => [],
    code: 2,
    line: /^modfront: configuration key upstrems: unknown, expected one of upstreams, private, /,
  },
  {
    why: "a wrong value",
    config: '{"ttl":{"list":"soon"}}',
    flags: () => [],
    code: 2,
    line: /^modfront: configuration key ttl\.list: .*expected number/,
  },
  {
    why: "a database without a key",
    config: '{"sumdb":{"name":"sum.example.com"}}',
    flags: () => [],
    code: 2,
    line: /^modfront: configuration key sumdb\.name: expected /,
  },
  {
    why: "a data folder that is a file",
    flags: () => ["--data", import.meta.filename],
    code: 1,
    line: /^modfront: the data folder cannot be written: choose another with --data$/,
  },
  {
    why: "a certificate that is none",
    flags: () => ["--tls-cert", import.meta.filename, "--tls-key", import.meta.filename],
    code: 1,
    line: /^modfront: the files of --tls-cert and --tls-key are no certificate and its key$/,
  },
  {
    why: "an address of another machine",
    flags: () => ["--host", "192.0.2.1"],
    code: 1,
    line: /^modfront: port 0 of 192\.0\.2\.1 cannot be listened on$/,
  },
];

describe("what cannot start says why in one line", { concurrency: 2 }, () => {
  for (const { why, flags, config, code, line } of refused) {
    test(why, async (t) => {
      const folder = dataFolder(t);
      const named = config === undefined ? [] : ["--config", join(folder, "config.json")];
      if (config !== undefined) writeFileSync(join(folder, "config.json"), config);
      const end = await ModfrontProcess.run("--data", folder, ...sound, ...named, ...flags(folder));
      const [said = "", ...more] = end.stderr.split("\n");
      assert.match(said, line);
      assert.deepEqual({ code: end.code, more, stdout: end.stdout }, { code, more: [""], stdout: "" });
    });
  }

  test("a port in use", async (t) => {
    const taken = createServer().listen(0, "127.0.0.1");
    t.after(() => taken.close());
    await new Promise((resolve) => taken.once("listening", resolve));
    const port = String((taken.address() as { port: number }).port);
    const end = await ModfrontProcess.run("--data", dataFolder(t), ...sound, "--port", port);
    assert.deepEqual(
      { code: end.code, stderr: end.stderr },
      { code: 1, stderr: `modfront: port ${port} of 127.0.0.1 is in use: choose another with --port\n` },
    );
  });
});

test("--help says what there is, and is no mistake", async () => {
  const { code, stdout, stderr } = await ModfrontProcess.run("--help");
  assert.match(stdout, /^usage: npm start -- \[--port …\] .*\[--upstream …\].*\n$/);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
});

const module = moduleFixture("corp.example/m");

/** An upstream of one private module, and a configuration file that names it. */
async function privateUpstream(t: TestContext, folder: string) {
  const upstream = await ScriptedUpstream.start();
  t.after(() => upstream.close());
  for (const kind of ["info", "mod", "zip"] as const) upstream.on(filePath(module, kind), { body: module[kind] });
  const config = join(folder, "config.json");
  const upstreams = [{ patterns: "corp.example", chain: upstream.url }];
  writeFileSync(config, JSON.stringify({ upstreams, private: "corp.example" }));
  return { upstream, flags: ["--config", config, "--data", join(folder, "data"), "--upstream", "off"] };
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`${signal} lets a download under way complete, takes no new one, and ends with 0`, async (t) => {
    const { upstream, flags } = await privateUpstream(t, dataFolder(t));
    const { promise: asked, resolve: seen } = Promise.withResolvers<void>();
    const { promise: goOn, resolve: release } = Promise.withResolvers<void>();
    // Without a reply of its own the path is left to the responder.
    upstream.on(filePath(module, "zip")).otherwise(async ({ path }) => {
      if (path !== filePath(module, "zip")) return undefined;
      seen();
      await goOn;
      return { body: module.zip };
    });
    await using modfront = await ModfrontProcess.start(...flags);
    // A client that keeps its connection: it must not keep the server.
    const agent = new Agent({ keepAlive: true });
    t.after(() => agent.destroy());
    const answer = new Promise<Buffer>((resolve, reject) => {
      const outgoing = request(modfront.url, { path: filePath(module, "zip"), agent }, (response) => {
        buffer(response).then(resolve, reject);
      });
      outgoing.on("error", reject).end();
    });
    await asked;
    modfront.signal(signal);
    await refusal(modfront.url);
    release();
    assert.deepEqual(await answer, Buffer.from(module.zip));
    assert.deepEqual(await modfront.ended.then(({ code, stderr }) => ({ code, stderr })), { code: 0, stderr: "" });
  });
}

/** Resolves when nobody listens any more. */
async function refusal(url: string): Promise<void> {
  for (;;) {
    try {
      await get(url, "/-/live");
    } catch {
      return;
    }
  }
}

test("two processes on one data folder serve what the other has fetched", async (t) => {
  const { upstream, flags } = await privateUpstream(t, dataFolder(t));
  await using one = await ModfrontProcess.start(...flags);
  await using two = await ModfrontProcess.start(...flags);
  assert.equal((await get(one.url, filePath(module, "zip"))).status, 200);
  await upstream.close();
  assert.deepEqual((await get(two.url, filePath(module, "zip"))).body, Buffer.from(module.zip));
  assert.equal((await get(two.url, "/corp.example/m/@v/list")).body.toString(), "v1.0.0\n");
  assert.deepEqual(await Promise.all([one.stop(), two.stop()]).then((ends) => ends.map(({ code }) => code)), [0, 0]);
});

test("a request line is written for each request, without its query", async (t) => {
  const { flags } = await privateUpstream(t, dataFolder(t));
  await using modfront = await ModfrontProcess.start(...flags, "--log", "json");
  await get(modfront.url, `${filePath(module, "mod")}?token=secret`);
  await get(modfront.url, "/Corp/@v/list");
  await get(modfront.url, "http://me:secret@elsewhere.example/");
  const { stdout } = await modfront.stop();
  const lines = stdout.split("\n").filter((line) => line.startsWith("{"));
  const logged = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    // A line is written when its answer is out, so that a quick one may overtake.
    logged.map(({ method, path, status }) => `${method} ${path} ${status}`).sort(),
    ["GET /Corp/@v/list 400", `GET ${filePath(module, "mod")} 200`, "GET http://elsewhere.example/ 400"],
  );
});

test("a reader of its output that goes away costs the lines, not the server", async (t) => {
  const { flags } = await privateUpstream(t, dataFolder(t));
  await using modfront = await ModfrontProcess.start(...flags, "--log", "json");
  modfront.closeOutput();
  // The first write fails, and the one after it at the latest finds out.
  for (let i = 0; i < 5; i++) assert.equal((await get(modfront.url, "/-/live")).status, 200);
  assert.equal((await modfront.stop()).code, 0);
});

/** Modules of node's own that a start loads, up to its first look at the flags. */
function loadedByStart(): readonly string[] {
  const tell = "process.once('exit', () => process.stdout.write(process.moduleLoadList.join('\\n')))";
  const script = join(import.meta.dirname, "../../../bin/start.mjs");
  const args = ["--import", `data:text/javascript,${encodeURIComponent(tell)}`, script, "--nosuch"];
  return spawnSync(process.execPath, args, { encoding: "utf8" }).stdout.split("\n");
}

test("a start loads neither what strips types, once it was kept what is left, nor node's second HTTP client", () => {
  loadedByStart();
  const loaded = loadedByStart();
  assert.ok(loaded.includes("NativeModule http"));
  assert.deepEqual(
    loaded.filter((name) => /\/(amaro|undici)\//.test(name)),
    [],
  );
});
