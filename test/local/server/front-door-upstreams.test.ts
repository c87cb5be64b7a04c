import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FrontDoor, script, scriptVersions } from "../../support/front-door.ts";
import { filePath, type ModuleFixture, moduleFixture } from "../../support/module-fixture.ts";
import { get, storedKeys } from "../../support/product.ts";
import type { Reply, ScriptedUpstream } from "../../support/scripted-upstream.ts";

// docs/protocol.md "Answers": what an upstream does, and what is answered, remembered and stored for it.

const module = moduleFixture("corp.example/m");
const pseudo = "v0.0.0-20250101000000-0123456789ab";
const list = "/corp.example/m/@v/list";
const latest = "/corp.example/m/@latest";
const query = "/corp.example/m/@v/main.info";
const [info, mod, zip] = [filePath(module, "info"), filePath(module, "mod"), filePath(module, "zip")];
const everything = [info, mod, zip, list, latest, query];

/** The status and the body of an answer: `"404 not found: …"`. */
async function say(door: FrontDoor, path: string): Promise<string> {
  const { status, body } = await get(door.url, path);
  return `${status} ${body.toString().trimEnd()}`;
}

function answerAll(upstream: ScriptedUpstream, reply: Reply): void {
  for (const path of everything) upstream.on(path, reply);
}

/** Everything that there is of the module, a list, a latest and a branch included. */
function healthy(upstream: ScriptedUpstream): void {
  scriptVersions(upstream, module.path, "v0.9.0\nv1.0.0\n");
  script(upstream, module);
  upstream.on(latest, { status: 404 }).on(query, { body: `{"Version":"${pseudo}"}` });
}

const plain = { "content-type": "text/plain; charset=utf-8" };

interface Refusal {
  readonly reply: Reply;
  readonly status: number;
  /** What follows "upstream http://127.0.0.1:…" */
  readonly line: RegExp;
}

const refusals: readonly Refusal[] = [
  { reply: { status: 404 }, status: 404, line: /^not found: upstream \S+ answered 404$/ },
  {
    reply: { status: 410, headers: plain, body: "gone\n" },
    status: 404,
    line: /^not found: upstream \S+ answered 410: gone$/,
  },
  { reply: { status: 400 }, status: 502, line: /^upstream \S+ answered 400$/ },
  { reply: { status: 451 }, status: 502, line: /^upstream \S+ answered 451$/ },
  {
    reply: { status: 401 },
    status: 502,
    line: /^upstream \S+ wants credentials that modfront does not have: answered 401$/,
  },
  {
    reply: { status: 407 },
    status: 502,
    line: /^upstream \S+ wants credentials that modfront does not have: answered 407$/,
  },
  {
    reply: { status: 403, headers: plain, body: "blocked: CVE-2024-1\nask sec@corp.example\n" },
    status: 403,
    line: /^upstream \S+ refuses it: answered 403\nblocked: CVE-2024-1\nask sec@corp\.example$/,
  },
  { reply: { status: 503 }, status: 502, line: /^upstream \S+ answered 503$/ },
  { reply: { status: 429, headers: { "retry-after": "60" } }, status: 502, line: /^upstream \S+ answered 429$/ },
  {
    reply: { status: 200, body: "<html>Log in</html>" },
    status: 502,
    line: /^(upstream http:\/\/\S+: its (version list|version information|zip)\b|the go\.mod of corp\.example\/m@)/,
  },
  { reply: { status: 302, headers: { location: "/corp.example/m/@v/list" } }, status: 502, line: /^upstream \S+ / },
];

describe("what an upstream answers with nothing stored", { concurrency: 4 }, () => {
  for (const { reply, status, line } of refusals) {
    test(`${reply.status} ${String(reply.body ?? "").split("\n")[0]}`, async () => {
      await using door = await FrontDoor.start();
      answerAll(door.corp, reply);
      const answers = await Promise.all(everything.map((path) => say(door, path)));
      for (const [i, answer] of answers.entries()) {
        assert.equal(answer.slice(0, 3), String(status), `${everything[i]}: ${answer}`);
        assert.match(answer.slice(4), line, everything[i]);
      }
      assert.deepEqual(storedKeys(door.data), []);

      healthy(door.corp);
      // "Not found" is remembered, nothing else is.
      const expected = status === 404 ? 404 : 200;
      for (const path of everything) assert.equal(await door.status(path), expected, path);
    });
  }

  test("a port that nobody listens on", async () => {
    await using door = await FrontDoor.start();
    await door.corp.close();
    for (const path of everything)
      assert.match(await say(door, path), /^502 upstream http:\/\/127\.0\.0\.1:\d+ /, path);
  });
});

describe("not found is remembered", () => {
  test("for a minute, by default", async () => {
    await using door = await FrontDoor.start();
    for (const path of everything) assert.equal(await door.status(path), 404, path);
    const asked = door.corp.requests.length;
    for (const path of everything) assert.equal(await door.status(path), 404, path);
    assert.deepEqual(
      door.corp.requests.slice(asked).map((request) => request.path),
      [],
    );
  });

  test("of a query that is called like a file, it says nothing of the file", async () => {
    await using door = await FrontDoor.start();
    healthy(door.corp);
    for (const path of [info, mod, zip, list, "/corp.example/m/@v/latest"]) {
      assert.equal(await door.status(`${path}.info`), 404, path);
    }
    for (const path of everything) assert.equal(await door.status(path), 200, path);
  });

  test("not at all with ttl.notFound 0", async () => {
    await using door = await FrontDoor.start({ ttl: { notFound: 0 } });
    for (const path of everything) assert.equal(await door.status(path), 404, path);
    healthy(door.corp);
    for (const path of everything) assert.equal(await door.status(path), 200, path);
  });
});

const outages: readonly (readonly [what: string, begin: (upstream: ScriptedUpstream) => unknown])[] = [
  ["is off the network", (upstream) => upstream.close()],
  ["answers 503", (upstream) => answerAll(upstream, { status: 503 })],
  ["answers 401", (upstream) => answerAll(upstream, { status: 401 })],
  ["shows a login page", (upstream) => answerAll(upstream, { body: "<html>Log in</html>" })],
];

describe("when an upstream goes, everything known stays", { concurrency: 4 }, () => {
  for (const [what, begin] of outages) {
    test(`it ${what}`, async () => {
      await using door = await FrontDoor.start({ ttl: { list: 0, query: 0, notFound: 0 } });
      healthy(door.corp);
      const before = await Promise.all(everything.map((path) => get(door.url, path)));
      for (const [i, { status }] of before.entries()) assert.equal(status, 200, everything[i]);
      await begin(door.corp);
      for (const [i, path] of everything.entries()) {
        const { status, body, headers } = await get(door.url, path);
        assert.deepEqual(
          [status, body.toString(), headers.etag],
          [200, before[i]?.body.toString(), before[i]?.headers.etag],
        );
        const file = [info, mod, zip].includes(path);
        assert.equal(headers.warning, file ? undefined : '110 - "Response is Stale"', path);
      }
    });
  }

  test("a list that was never asked for is what is stored", async () => {
    await using door = await FrontDoor.start();
    script(door.corp, module);
    await get(door.url, zip);
    await door.corp.close();
    assert.equal(await say(door, list), "200 v1.0.0");
    assert.equal(await say(door, latest), '200 {"Version":"v1.0.0","Time":"2024-01-02T03:04:05Z"}');
  });

  test("a module that the upstream has withdrawn stays listed", async () => {
    await using door = await FrontDoor.start({ ttl: { list: 0 } });
    healthy(door.corp);
    assert.equal(await say(door, list), "200 v0.9.0\nv1.0.0");
    answerAll(door.corp, { status: 404 });
    assert.equal(await say(door, list), "200 v0.9.0\nv1.0.0");
  });
});

const open = moduleFixture("example.com/m");
const record = "/sumdb/sum.example.com/lookup/example.com/m@v1.0.0";

describe("public modules and the checksum database", () => {
  test("one that it does not know is refused, with what to do about it", async () => {
    await using door = await FrontDoor.start();
    script(door.open, open);
    for (const kind of ["info", "mod", "zip"] as const) {
      assert.equal(
        await say(door, filePath(open, kind)),
        "403 checksum database sum.example.com does not know this module version; add the module to private if it is yours",
      );
    }
    assert.deepEqual(storedKeys(door.data), []);
    assert.equal(await door.status(record), 404);
  });

  test("when it is down that is no 404, and nothing is stored unverified", async () => {
    await using door = await FrontDoor.start();
    await door.publish(open);
    door.open.on(record, { status: 503 });
    assert.match(await say(door, filePath(open, "zip")), /^502 checksum database sum\.example\.com cannot be asked: /);
    assert.match(await say(door, record), /^502 checksum database sum\.example\.com cannot be asked: /);
    assert.deepEqual(
      storedKeys(door.data).filter((key) => key.endsWith(".zip")),
      [],
    );
    door.open.on(record, { body: await door.database.get("/lookup/example.com/m@v1.0.0", 1e6) });
    assert.equal(await door.status(filePath(open, "zip")), 200);
  });

  for (const [what, replaced] of [
    ["another module's zip", { zip: moduleFixture("example.com/other").zip }],
    ["the same module with other content", { zip: moduleFixture("example.com/m", "v1.0.0", "package evil\n").zip }],
    ["another go.mod", { mod: Buffer.from("module example.com/m\n\nrequire evil.example/m v1.0.0\n") }],
    ["a zip cut with the right length declared", { zip: open.zip.subarray(0, 3000) }],
    ["an empty zip", { zip: Buffer.alloc(0) }],
  ] as const satisfies readonly (readonly [string, Partial<ModuleFixture>])[]) {
    test(`${what} is never stored, and does not poison the version`, async () => {
      await using door = await FrontDoor.start();
      await door.publish(open);
      script(door.open, { ...open, ...replaced });
      for (const method of ["HEAD", "GET"]) {
        assert.match(await door.ask({ method, path: filePath(open, "zip") }), /^(403|502)\n/);
      }
      const wrong = "mod" in replaced ? /\.(mod|zip)$/ : /\.zip$/;
      assert.deepEqual(
        storedKeys(door.data).filter((key) => wrong.test(key)),
        [],
      );
      script(door.open, open);
      assert.deepEqual((await get(door.url, filePath(open, "zip"))).body, Buffer.from(open.zip));
    });
  }

  test("one forged answer of the database poisons nothing", async () => {
    await using door = await FrontDoor.start();
    await door.publish(open);
    door.database.tamper = (path, answer) =>
      path.startsWith("/lookup/") ? Buffer.from(String(answer).replace("h1:", "h1:A")) : answer;
    assert.match(await say(door, filePath(open, "zip")), /^502 SECURITY ERROR: /);
    assert.match(await say(door, record), /^502 SECURITY ERROR: /);
    assert.match(door.warnings[0] ?? "", /^checksum-forged: /);
    door.database.tamper = (_, answer) => answer;
    assert.equal(await door.status(filePath(open, "zip")), 200);
    assert.equal(await door.status(record), 200);
  });

  test("the start page of an empty cache breaks no later miss", async () => {
    await using door = await FrontDoor.start();
    await door.publish(open);
    assert.equal(await door.status("/"), 200);
    assert.equal(await door.status(filePath(open, "zip")), 200);
  });

  test("a lookup is the record under the newest head, and its tiles need no database", async () => {
    await using door = await FrontDoor.start();
    await door.publish(open);
    assert.equal(await door.status(filePath(open, "mod")), 200);
    await door.publish(moduleFixture("example.com/later"));
    assert.equal(await door.status("/example.com/later/@v/v1.0.0.mod"), 200);
    const head = await get(door.url, "/sumdb/sum.example.com/latest");
    await door.open.close();
    const { body } = await get(door.url, record);
    assert.equal(body.toString(), (await door.database.get("/lookup/example.com/m@v1.0.0", 1e6)).toString());
    assert.ok(body.toString().endsWith(head.body.toString()));
    assert.equal((await get(door.url, "/sumdb/sum.example.com/tile/8/0/000.p/2")).body.length, 64);
  });

  test("the lookup of a private module is answered here", async () => {
    await using door = await FrontDoor.start();
    assert.match(
      await say(door, "/sumdb/sum.example.com/lookup/corp.example/m@v1.0.0"),
      /^403 corp\.example\/m is private /,
    );
    assert.deepEqual([...door.open.requests, ...door.corp.requests], []);
  });
});

test("a private module that no rule names is asked for nowhere", async () => {
  await using door = await FrontDoor.start({ private: "corp.example,hidden.example" });
  for (const path of everything) {
    assert.equal(
      await say(door, path.replace("corp.example", "hidden.example")),
      "403 it is private, and no rule in upstreams names it",
    );
  }
  assert.deepEqual([...door.open.requests, ...door.corp.requests], []);
});
