import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import type { ServerResponse } from "node:http";
import type { LookupFunction } from "node:net";
import { test } from "node:test";
import { basicAuthorization, type Credentials } from "../../../../lambda/upstream/credentials/credentials.ts";
import { isRefName } from "../../../../lambda/upstream/git/repository/ref-listing.ts";
import { gitClient } from "../../../support/git-client.ts";
import { bandOf, GitHttpServer, type GitRequest, packet } from "../../../support/git-http-server.ts";
import { GitObjects, packOf } from "../../../support/git-objects.ts";
import { longestTurn } from "../../../support/longest-turn.ts";

// Servers that lie, babble, or never come to an end.

const git = new GitObjects();
const blob = git.add("blob", "content");
const tree = git.tree({ "a.txt": "content" });
const commit = git.commit(tree);
const refs = { HEAD: "ref: refs/heads/main", "refs/heads/main": commit };
const result = { "content-type": "application/x-git-upload-pack-result" };
const isFetch = ({ lines }: GitRequest) => lines.includes("command=fetch");
const isList = ({ lines }: GitRequest) => lines.includes("command=ls-refs");

test("a packfile that does not have what was asked for is refused, whatever else it has", async (t) => {
  const other = git.commit(git.tree({ "evil.go": "package evil" }));
  const object = (id: string) => git.get(id);
  const rows: readonly (readonly [string, string, Buffer, string])[] = [
    ["another commit", commit, packOf([object(other), object(tree), object(blob)]), "missing-object"],
    ["no tree", commit, packOf([object(commit), object(blob)]), "missing-object"],
    ["no file", commit, packOf([object(commit), object(tree)]), "missing-object"],
    ["nothing", commit, packOf([]), "missing-object"],
    ["a file in place of a commit", blob, packOf([object(blob)]), "wrong-type"],
    ["a tree in place of a commit", tree, packOf([object(tree), object(blob)]), "wrong-type"],
    [
      "a commit that is none",
      git.add("commit", "hello"),
      packOf([{ type: "commit", data: Buffer.from("hello") }]),
      "bad-answer",
    ],
    ["no packfile", commit, Buffer.from("PACKED"), "bad-answer"],
    ["a cut packfile", commit, packOf([object(commit), object(tree), object(blob)]).subarray(0, -3), "bad-answer"],
  ];
  await using server = await GitHttpServer.start(git, refs);
  const { repositories, folder } = gitClient(t);
  const repository = repositories.open(server.url);
  for (const [name, id, pack, code] of rows) {
    server.options = { pack: () => pack };
    await assert.rejects(repository.snapshot(id), { code }, name);
    if (code !== "missing-object" || name === "another commit")
      await assert.rejects(repository.commit(id), { code }, name);
  }
  // What nobody asked for does no harm.
  server.options = { pack: () => packOf([object(other), object(blob), object(tree), object(commit)]) };
  (await repository.snapshot(commit)).close();
  assert.equal(readdirSync(folder).length, 1);
  for (const id of ["", "main", "--upload-pack=x", `${"1".repeat(40)}\n`, "A".repeat(40), "1".repeat(41)]) {
    await assert.rejects(repository.commit(id), { code: "missing-object" });
  }
  assert.equal(server.requests.filter(({ body }) => body.includes("upload-pack=")).length, 0);
});

test("a history must be whole", async (t) => {
  const child = git.commit(tree, { parents: [commit] });
  await using server = await GitHttpServer.start(git, { "refs/heads/main": child });
  server.options = { pack: () => packOf([git.get(child)]) };
  const { repositories } = gitClient(t, { limits: { commits: 2 } });
  const repository = repositories.open(server.url);
  const listing = await repository.refs();
  await assert.rejects(repository.history(listing), { code: "missing-object" });
  server.options = { pack: () => packOf([git.get(child), git.get(commit)]) };
  assert.equal(await (await repository.history(listing)).isReachable(commit), true);
  server.refs = { "refs/heads/main": git.commit(tree, { parents: [child] }) };
  server.options = {};
  await assert.rejects(repository.history(await repository.refs()), { code: "too-large" });
  // A ref at something that is not there.
  server.refs = { "refs/heads/main": "1".repeat(40) };
  await assert.rejects(repository.history(await repository.refs()), { code: "missing-object" });
});

test("what a server says of itself, and its statuses, are failures with a code", async (t) => {
  const status =
    (code: number, headers: Record<string, string> = {}) =>
    (_: GitRequest, response: ServerResponse) => {
      response.writeHead(code, headers).end("no");
      return "done" as const;
    };
  const first = (text: string) => (request: GitRequest) => (request.method === "GET" ? Buffer.from(text) : undefined);
  const typed = (type: string) => (_: GitRequest, response: ServerResponse) => {
    response.writeHead(200, { "content-type": type }).end("<html>");
    return "done" as const;
  };
  const head = `${"1".repeat(40)} HEAD`;
  const rows: readonly (readonly [
    string,
    (request: GitRequest, response: ServerResponse) => Buffer | undefined | "done",
    object,
  ])[] = [
    ["401", status(401), { code: "unauthorized", status: 401 }],
    ["403", status(403), { code: "unauthorized", status: 403 }],
    ["404", status(404), { code: "no-repository", status: 404 }],
    ["410", status(410), { code: "no-repository" }],
    ["429", status(429, { "retry-after": "7" }), { code: "status", status: 429, retryAfter: 7 }],
    ["503", status(503), { code: "status", message: "answered 503" }],
    ["a page", typed("text/html"), { code: "not-smart" }],
    ["a dumb server", typed("text/plain"), { code: "not-smart" }],
    ["no protocol", first("<html>"), { code: "bad-answer" }],
    ["nothing", first(""), { code: "bad-answer" }],
    ["only flush", first("0000"), { code: "bad-answer" }],
    ["another service", first(`${packet("# service=git-receive-pack")}0000`), { code: "bad-answer" }],
    ["another version", first(`${packet("version 3")}0000`), { code: "bad-answer" }],
    ["cut off", first(packet("version 2")), { code: "bad-answer" }],
    ["cut off in a packet", first(`${packet("version 2")}00`), { code: "bad-answer" }],
    ["more behind the end", first(`${packet("version 2")}00000000`), { code: "bad-answer" }],
    ["another hash", first(`${packet("version 2")}${packet("object-format=md5")}0000`), { code: "unsupported" }],
    ["refs without hashes", first(`${packet("nothing HEAD\0side-band-64k")}0000`), { code: "bad-answer" }],
    [
      "refs with hashes of another kind",
      first(`${packet(`${head}\0object-format=sha256`)}0000`),
      { code: "bad-answer" },
    ],
    [
      "words of its own",
      first(packet("ERR Repository is \x1b[1mgone\r\n")),
      { code: "refused", message: "refused: Repository is ?[1mgone" },
    ],
    ["capabilities without end", first(packet("version 2") + packet("a").repeat(2_000)), { code: "bad-answer" }],
    [
      "capabilities that are too many",
      first(packet("version 2") + Array.from({ length: 2_000 }, (_, i) => packet(`c${i}`)).join("")),
      { code: "too-large" },
    ],
  ];
  for (const [name, intercept, expected] of rows) {
    await using server = await GitHttpServer.start(git, refs, { intercept });
    const { repositories } = gitClient(t);
    await assert.rejects(repositories.open(server.url).refs(), expected, name);
  }
});

test("a listing or fetch that is none is refused", async (t) => {
  const pack = packOf([git.get(commit), git.get(tree), git.get(blob)]);
  const list = (text: string) => (request: GitRequest) => (isList(request) ? Buffer.from(text) : undefined);
  const fetch =
    (...parts: readonly (string | Buffer)[]) =>
    (request: GitRequest) =>
      isFetch(request) ? Buffer.concat(parts.map((part) => Buffer.from(part as string))) : undefined;
  const ok = bandOf(1, pack);
  const rows: readonly (readonly [string, (request: GitRequest) => Buffer | undefined, string])[] = [
    ["a listing without an end", list(packet(`${commit} refs/heads/main`)), "bad-answer"],
    ["a line without a name", list(`${packet(commit)}0000`), "bad-answer"],
    ["a line without a hash", list(`${packet("main refs/heads/main")}0000`), "bad-answer"],
    ["a tag without a hash behind it", list(`${packet(`${commit} refs/tags/v1 peeled:x`)}0000`), "bad-answer"],
    ["a refused listing", list(packet("ERR no")), "refused"],
    ["an empty fetch", fetch(""), "bad-answer"],
    ["flush alone", fetch("0000"), "bad-answer"],
    ["no end", fetch(packet("packfile"), ok), "bad-answer"],
    ["bytes behind the end", fetch(packet("packfile"), ok, "0000", ok), "bad-answer"],
    ["no such band", fetch(packet("packfile"), bandOf(7, pack), "0000"), "bad-answer"],
    ["a refused fetch", fetch(packet("ERR access denied")), "refused"],
    [
      "refused in between",
      fetch(packet("packfile"), ok.subarray(0, 0), bandOf(3, Buffer.from("out of memory"))),
      "refused",
    ],
    ["an object that it does not hand out", fetch(packet(`ERR upload-pack: not our ref ${commit}`)), "missing-object"],
    ["lines without end", fetch(packet("acknowledgments"), packet("NAK").repeat(200_000)), "too-large"],
    [
      "progress without end",
      fetch(packet("packfile"), ...Array.from({ length: 80 }, () => bandOf(2, Buffer.alloc(60_000, "x")))),
      "too-large",
    ],
    ["a delimiter in the packfile", fetch(packet("packfile"), ok, "0001"), "bad-answer"],
  ];
  for (const [name, intercept, code] of rows) {
    await using server = await GitHttpServer.start(git, refs, { intercept });
    const { repositories, folder } = gitClient(t);
    const repository = repositories.open(server.url);
    await assert.rejects(
      repository.refs().then(() => repository.snapshot(commit)),
      { code },
      name,
    );
    assert.deepEqual(readdirSync(folder), [], name);
  }
});

test("names that no ref can have are left out", async (t) => {
  const names = [
    "refs/heads/ok",
    "refs/heads/../x",
    "refs/heads/a..b",
    "refs/heads/.a",
    "refs/heads/a.lock",
    "refs/heads/a~1",
  ];
  const more = [
    "refs/heads/a\x1b[1m",
    "refs/tags/v1\u0000",
    "refs/tags/",
    "refs/heads/a//b",
    "refs/heads/a@{0}",
    "refs/tags/caf\u00e9",
  ];
  assert.deepEqual([...names, ...more].filter(isRefName), ["refs/heads/ok", "refs/tags/caf\u00e9"]);
  const lines = [...names, ...more, "refs/heads/ok"].map((name, i) => packet(`${String(i % 10).repeat(40)} ${name}`));
  await using server = await GitHttpServer.start(git, refs, {
    intercept: (request) => (isList(request) ? Buffer.from(`${lines.join("")}0000`) : undefined),
  });
  const listing = await gitClient(t).repositories.open(server.url).refs();
  // Of two of one name the first counts.
  assert.deepEqual([[...listing.heads], [...listing.tags.keys()]], [[["ok", "0".repeat(40)]], ["caf\u00e9"]]);
});

test("a listing of 100 MB and a packfile without end stop at their limits, and hold nobody up", async (t) => {
  const lines = Array.from({ length: 1_000 }, (_, i) => packet(`${commit} refs/tags/v1.0.${i}-${"x".repeat(40)}`)).join(
    "",
  );
  const state = { sent: 0 };
  const pour = async (response: ServerResponse, chunk: string | Buffer) => {
    response.on("error", () => {}).setMaxListeners(0);
    while (!response.destroyed && state.sent < 3e8) {
      state.sent += chunk.length;
      if (!response.write(chunk))
        await new Promise((resolve) => response.once("drain", resolve).once("close", resolve));
    }
    response.end();
  };
  await using server = await GitHttpServer.start(git, refs, {
    intercept: (request, response) => {
      if (!isList(request) && !isFetch(request)) return undefined;
      response.writeHead(200, result);
      if (isFetch(request)) response.write(packet("packfile"));
      void pour(response, isList(request) ? lines : bandOf(1, Buffer.alloc(65_000, "PACK")));
      return "done";
    },
  });
  const limits = { packBytes: 20 << 20 };
  const { repositories, folder } = gitClient(t, { limits });
  const turn = await longestTurn(async () => {
    await assert.rejects(repositories.open(server.url).refs(), { code: "too-large" });
  });
  assert.ok(state.sent < 1e8, `${state.sent} bytes were taken of the listing`);
  assert.ok(turn < 50, `${turn} ms in one turn`);
  state.sent = 0;
  await assert.rejects(repositories.open(server.url).snapshot(commit), { code: "too-large" });
  assert.ok(state.sent < 5e7, `${state.sent} bytes were taken of the packfile`);
  assert.deepEqual(readdirSync(folder), []);
});

test("a fetch takes no longer than it may", async (t) => {
  await using server = await GitHttpServer.start(git, refs, {
    intercept: (request, response) => {
      if (!isFetch(request)) return undefined;
      response.writeHead(200, result).write(packet("packfile"));
      return "done";
    },
  });
  const { repositories } = gitClient(t, { limits: { fetchTime: 50 } });
  await assert.rejects(repositories.open(server.url).snapshot(commit), {
    code: "too-large",
    message: "took too long to be fetched",
  });
});

test("redirects are followed from the first request only, and credentials stay with their origin", async (t) => {
  const credentials: Credentials = { authorize: async () => basicAuthorization("me", "secret-token") };
  await using target = await GitHttpServer.start(git, refs);
  const location = (to: string) => (request: GitRequest, response: ServerResponse) => {
    response.writeHead(302, { location: to.replace("{url}", request.url) }).end();
    return "done" as const;
  };
  const moved = `http://localhost:${target.url.port}/repo/info/refs?service=git-upload-pack`;
  await using server = await GitHttpServer.start(git, refs, { intercept: location(moved) });
  const { repositories } = gitClient(t, { credentials });
  (await repositories.open(server.url).snapshot(commit)).close();
  const shown = (requests: readonly GitRequest[]) => requests.map(({ headers }) => headers.authorization !== undefined);
  assert.deepEqual([shown(server.requests), shown(target.requests)], [[true], [false, false]]);
  target.asked();

  // To something that is no repository; in circles; and from the second request.
  server.options = { intercept: location(`${target.url}/elsewhere`) };
  await assert.rejects(repositories.open(new URL(`${server.url}/1`)).refs(), { code: "no-repository" });
  server.options = { intercept: location(`${server.url.origin}{url}`) };
  await assert.rejects(repositories.open(new URL(`${server.url}/2`)).refs(), { code: "redirects" });
  server.options = {
    intercept: (request, response) => (request.method === "GET" ? undefined : location(moved)(request, response)),
  };
  const fresh = gitClient(t, { credentials }).repositories;
  await assert.rejects(fresh.open(server.url).refs(), { code: "status", status: 302 });
  server.options = { intercept: location("file:///etc/passwd") };
  await assert.rejects(repositories.open(new URL(`${server.url}/3`)).refs(), { code: "redirects" });
  assert.deepEqual(shown(target.requests), [false]);
});

test("a redirect to a private address is refused, and so is a name that changes its mind", async (t) => {
  await using inside = await GitHttpServer.start(git, refs);
  const answers = ["127.0.0.1"];
  const lookup = ((_: string, options: { all?: boolean }, callback: (...given: unknown[]) => void) => {
    const address = answers.shift() ?? "127.0.0.1";
    if (options.all) callback(null, [{ address, family: 4 }]);
    else callback(null, address, 4);
  }) as LookupFunction;
  const port = inside.url.port;
  await using server = await GitHttpServer.start(git, refs, {
    intercept: (_, response) => {
      response
        .writeHead(302, { location: `http://inside.example:${port}/repo/info/refs?service=git-upload-pack` })
        .end();
      return "done";
    },
  });
  const isTrusted = (url: URL) => url.port === server.url.port;
  const { repositories } = gitClient(t, { isTrusted, lookup });
  await assert.rejects(repositories.open(server.url).refs(), { code: "refused-address" });
  for (const host of ["127.0.0.1", "[::1]", "169.254.169.254", "rebinding.example"]) {
    await assert.rejects(
      repositories.open(new URL(`http://${host}:${port}/repo`)).refs(),
      { code: "refused-address" },
      host,
    );
  }
  assert.deepEqual(inside.requests, []);
});

test("a server that repeats what it was shown does not get it into an error, and a renewed secret is tried once", async (t) => {
  let renewed = 0;
  const credentials: Credentials = {
    authorize: async () => ({
      ...basicAuthorization("me", `secret-token-${renewed}`),
      renew: async () => {
        renewed++;
        return true;
      },
    }),
  };
  await using server = await GitHttpServer.start(git, refs, {
    intercept: ({ headers }, response) => {
      const shown = Buffer.from((headers.authorization ?? "").slice(6), "base64").toString();
      if (shown === "me:secret-token-0") {
        response.writeHead(401).end();
        return "done";
      }
      return Buffer.from(packet(`ERR you are ${shown}, and may not`));
    },
  });
  const { repositories } = gitClient(t, { credentials });
  const error = await repositories
    .open(server.url)
    .refs()
    .catch((each: Error) => each);
  assert.deepEqual([(error as Error).message, renewed], ["refused in words that show a secret", 1]);
  server.options = {
    intercept: (_, response) => {
      response.writeHead(401).end();
      return "done";
    },
  };
  await assert.rejects(repositories.open(server.url).refs(), { code: "unauthorized" });
  assert.equal(renewed, 2);
});
