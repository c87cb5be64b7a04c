import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { createServer as createConnectServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { isCodedError } from "../../lambda/golang/coded-error.ts";
import { checkPath } from "../../lambda/golang/module.ts";
import { Discovery, type Page } from "../../lambda/upstream/git/discovery/discovery.ts";
import type { RepositoryAddress } from "../../lambda/upstream/git/discovery/repository-address.ts";
import { makeCertificate, skipWithoutOpenssl } from "../support/certificate.ts";
import { hasGit, RepositoryScript, scratch } from "../support/git-repository.ts";
import { startGitServer } from "../support/git-server.ts";
import { skipWithoutGo } from "../support/go-command.ts";
import { GoDirect } from "../support/go-direct.ts";
import { mod } from "./rows/row.ts";

// Where the real go command looks for modules, by pages behind a forward proxy that leads every host to one server, and where
// modfront does.

const meta = (content: string) => `<meta name="go-import" content="${content}">`;
const repository = "https://git.example/r";

/** A page by host and path; a number and what follows is a status, `-> x` a redirect. */
type Pages = Readonly<Record<string, string>>;

/** A rule, the module that is asked for, and the pages there are. */
const rows: readonly (readonly [string, string, Pages])[] = [
  ["its own page", "a.example/x", { "a.example/x": meta(`a.example/x git ${repository}`) }],
  ["a page of a host", "a.example", { "a.example/": meta(`a.example git ${repository}`) }],
  ["no page", "a.example/x", {}],
  ["an error with a tag", "a.example/x", { "a.example/x": `404 ${meta(`a.example/x git ${repository}`)}` }],
  ["an error without one", "a.example/x", { "a.example/x": "500 oh" }],
  [
    "a redirect",
    "a.example/x",
    { "a.example/x": "-> https://b.example/y", "b.example/y": meta(`a.example/x git ${repository}`) },
  ],
  ["a redirect to plain http", "a.example/x", { "a.example/x": "-> http://b.example/y" }],
  ["a redirect to itself", "a.example/x", { "a.example/x": "-> https://a.example/x?go-get=1" }],
  ["nine redirects", "a.example/x", { ...chain(9), "a.example/9": meta(`a.example/x git ${repository}`) }],
  ["ten redirects", "a.example/x", { ...chain(10), "a.example/10": meta(`a.example/x git ${repository}`) }],
  [
    "a package below, and the prefix agrees",
    "a.example/x/sub",
    { "a.example/x/sub": meta(`a.example/x git ${repository}`), "a.example/x": meta(`a.example/x git ${repository}`) },
  ],
  [
    "the prefix does not agree",
    "a.example/x/sub",
    {
      "a.example/x/sub": meta(`a.example/x git ${repository}`),
      "a.example/x": meta("a.example/x git https://git.example/s"),
    },
  ],
  [
    "the prefix has another page",
    "a.example/x/sub",
    { "a.example/x/sub": meta(`a.example/x git ${repository}`), "a.example/x": "nothing" },
  ],
  [
    "the prefix agrees but for the folder",
    "a.example/x/sub",
    {
      "a.example/x/sub": meta(`a.example/x git ${repository} sub`),
      "a.example/x": meta(`a.example/x git ${repository}`),
    },
  ],
  ["a prefix of letters only", "a.example/xy", { "a.example/xy": meta(`a.example/x git ${repository}`) }],
  [
    "two that match",
    "a.example/x",
    { "a.example/x": meta(`a.example/x git ${repository}`) + meta(`a.example git ${repository}`) },
  ],
  [
    "two of which one matches",
    "a.example/x",
    { "a.example/x": meta(`a.example/z git ${repository}`) + meta(`a.example/x git ${repository}`) },
  ],
  ["a folder", "a.example/s", { "a.example/s": meta(`a.example/s git ${repository} sub`) }],
  ["a folder that is not there", "a.example/s", { "a.example/s": meta(`a.example/s git ${repository} none`) }],
  ["a folder with a slash in front", "a.example/s", { "a.example/s": meta(`a.example/s git ${repository} /sub`) }],
  ["a folder with a hyphen in front", "a.example/s", { "a.example/s": meta(`a.example/s git ${repository} -sub`) }],
  [
    "v2 in a folder",
    "a.example/s/v2",
    {
      "a.example/s/v2": meta(`a.example/s git ${repository} sub`),
      "a.example/s": meta(`a.example/s git ${repository} sub`),
    },
  ],
  [
    "the whole path with its major as root",
    "a.example/m/v2",
    { "a.example/m/v2": meta("a.example/m/v2 git https://git.example/m2") },
  ],
  ["gopkg.in", "gopkg.in/m.v2", { "gopkg.in/m.v2": meta("gopkg.in/m.v2 git https://git.example/m2") }],
  ["gopkg.in without a major", "gopkg.in/m", { "gopkg.in/m": meta(`gopkg.in/m git ${repository}`) }],
  [
    "gopkg.in, unstable",
    "gopkg.in/m.v2-unstable",
    { "gopkg.in/m.v2-unstable": meta("gopkg.in/m.v2-unstable git https://git.example/m2") },
  ],
  ["a file URL", "a.example/x", { "a.example/x": meta("a.example/x git file:///etc") }],
  ["no scheme", "a.example/x", { "a.example/x": meta("a.example/x git git.example/r") }],
  ["another system that is unknown", "a.example/x", { "a.example/x": meta("a.example/x cvs https://git.example/r") }],
  [
    "letters, and attributes without quotes",
    "a.example/x",
    { "a.example/x": `<META NAME=go-import CONTENT='a.example/x git ${repository}'>` },
  ],
  ["behind the head", "a.example/x", { "a.example/x": `<head></head>${meta(`a.example/x git ${repository}`)}` }],
  ["in the body", "a.example/x", { "a.example/x": `<body>${meta(`a.example/x git ${repository}`)}` }],
  [
    "an unclosed head",
    "a.example/x",
    { "a.example/x": `<!DOCTYPE html><html><head><link rel=x>${meta(`a.example/x git ${repository}`)}<p>` },
  ],
  ["malformed behind", "a.example/x", { "a.example/x": `${meta(`a.example/x git ${repository}`)}<1 "` }],
  ["malformed before", "a.example/x", { "a.example/x": `<1 "${meta(`a.example/x git ${repository}`)}` }],
  [
    "an unquoted URL",
    "a.example/x",
    { "a.example/x": `<link href=https://x/y>${meta(`a.example/x git ${repository}`)}` },
  ],
  [
    "a script with brackets",
    "a.example/x",
    { "a.example/x": `<script>if (a < b) {}</script>${meta(`a.example/x git ${repository}`)}` },
  ],
  [
    "an ampersand",
    "a.example/x",
    { "a.example/x": `<a href="?a&b">x & y</a>${meta(`a.example/x git ${repository}`)}` },
  ],
  ["a comment", "a.example/x", { "a.example/x": `<!-- <meta> -->${meta(`a.example/x git ${repository}`)}` }],
  [
    "a comment with two hyphens",
    "a.example/x",
    { "a.example/x": `<!-- a -- b -->${meta(`a.example/x git ${repository}`)}` },
  ],
  ["a path with .git", "git.example/r.git", {}],
  ["a folder below a path with .git", "git.example/r.git/sub", {}],
  [
    "a path with .git, and a page",
    "git.example/r.git",
    { "git.example/r.git": meta("git.example/r.git git https://git.example/none") },
  ],
  ["a host without a dot", "example/x", {}],
];

function chain(length: number): Record<string, string> {
  const names = ["x", ...Array.from({ length }, (_, i) => String(i + 1))];
  return Object.fromEntries(
    names.slice(0, -1).map((name, i) => [`a.example/${name}`, `-> https://a.example/${names[i + 1]}`]),
  );
}

const folder = scratch("discovery");
for (const name of ["repos", "go"]) mkdirSync(join(folder, name));
let pages: Pages = {};

interface Answer {
  readonly status: number;
  readonly location?: string;
  readonly text: string;
}

function answerOf(url: URL): Answer {
  const text = pages[`${url.host}${url.pathname}`];
  if (text === undefined) return { status: 404, text: "not found" };
  if (text.startsWith("-> ")) return { status: 302, location: text.slice(3), text: "" };
  const [, status, rest] = /^(\d{3}) ([\s\S]*)$/.exec(text) ?? [];
  return status === undefined ? { status: 200, text } : { status: Number(status), text: rest ?? "" };
}

/** What HttpPages does, over the table: its own tests are in test/upstream/git/discovery. */
async function fetchPage(path: string): Promise<Page> {
  let url = new URL(`https://${path}?go-get=1`);
  for (let hops = 0; ; hops++) {
    const { status, location, text } = answerOf(url);
    if (location === undefined) return { status, text };
    url = new URL(location, url);
    if (url.protocol !== "https:" || hops === 9) throw new Error("redirected too often, or to plain http");
  }
}

test("modules are looked for where go looks for them", {
  skip: (hasGit ? skipWithoutGo : "no git") || skipWithoutOpenssl,
  timeout: 600_000,
}, async (t) => {
  buildRepositories();
  const server = await startGitServer(join(folder, "repos"));
  const hosts = ["a.example", "b.example", "gopkg.in", "git.example"].map((host) => `DNS:${host}`);
  const { cert, key } = makeCertificate(folder, hosts.join());
  const tls = createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
    const { status, location, text } = answerOf(new URL(request.url ?? "/", `https://${request.headers.host}`));
    response.writeHead(status, { "content-type": "text/html", ...(location !== undefined && { location }) }).end(text);
  });
  const proxy = createConnectServer((_, response) => response.writeHead(502).end());
  proxy.on("connect", (_, socket, head) => {
    const upstream = connect((tls.address() as AddressInfo).port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    for (const each of [socket, upstream]) each.on("error", () => {});
  });
  await Promise.all([tls, proxy].map((each) => new Promise<void>((resolve) => each.listen(0, "127.0.0.1", resolve))));
  after(async () => {
    await server.close();
    for (const each of [tls, proxy]) {
      each.closeAllConnections();
      each.close();
    }
    rmSync(folder, { recursive: true, force: true });
  });
  const go = new GoDirect(join(folder, "go"), {
    insteadOf: { "https://git.example/": `${server.url}/` },
    environment: {
      HTTPS_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      SSL_CERT_FILE: cert,
    },
  });
  for (const [rule, path, table] of rows) {
    await t.test(rule, async () => {
      pages = table;
      const theirs = await go.download(`${path}@HEAD`);
      const ours = await find(path).catch((error: unknown) => {
        if (isCodedError(error, "absent", "invalid-module-path") || /^redirected/.test((error as Error).message))
          return undefined;
        throw error;
      });
      if (process.env.GIT_SHOW === "1") console.log(rule, "|", theirs.Error ?? theirs.Version, "|", ours);
      // go may have found a repository that has no such module.
      const found =
        theirs.Origin?.URL ??
        /revision [0-9a-f]{12}|at revision|reading https:\/\/git\.example/.exec(theirs.Error ?? "")?.[0];
      assert.equal(
        ours !== undefined,
        found !== undefined,
        `go: ${theirs.Error ?? theirs.Origin?.URL}, modfront: ${JSON.stringify(ours)}`,
      );
      if (ours?.kind === "git" && theirs.Origin !== undefined) assert.equal(ours.url, theirs.Origin.URL);
    });
  }
});

async function find(path: string): Promise<RepositoryAddress> {
  // What is asked of modfront passes this before.
  checkPath(path);
  return new Discovery({ get: fetchPage }).find(path);
}

after(() => console.log(`${rows.length} rules of discovery`));

function buildRepositories(): void {
  const r = new RepositoryScript();
  r.commit({
    "go.mod": mod("a.example/x"),
    "sub/go.mod": mod("a.example/s"),
    "sub/v2/go.mod": mod("a.example/s/v2"),
    "a.go": "package a\n",
  });
  r.build(join(folder, "repos/r"));
  const m2 = new RepositoryScript();
  m2.commit({ "go.mod": mod("a.example/m/v2"), "a.go": "package a\n" });
  m2.build(join(folder, "repos/m2"));
}
