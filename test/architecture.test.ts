import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { goDefaultProxy } from "../lambda/proxy/sources/go-default-proxy.ts";

// The arrows of the house, read off the import lines. A folder is a time and a permission: bin runs at a terminal, lib
// at synth, lambda on request. See docs/architecture.md.

const root = join(import.meta.dirname, "..");

interface Source {
  readonly path: string;
  readonly text: string;
  /** Imported project files as paths from the root, and bare package names (`node:fs`, `@aws-sdk/client-s3`). */
  readonly files: readonly string[];
  readonly packages: readonly string[];
}

function readSource(path: string): Source {
  const text = readFileSync(join(root, path), "utf8");
  const specifiers = [
    ...text.matchAll(/(?:^|\n)(?:import|export)\b[^;]*?\bfrom\s+"([^"]+)"|(?<!")\bimport\s*\(?\s*"([^"]+)"/g),
  ].map((match) => match[1] ?? match[2] ?? "");
  return {
    path,
    text,
    files: specifiers.filter((s) => s.startsWith(".")).map((s) => normalize(join(dirname(path), s))),
    packages: specifiers.filter((s) => !s.startsWith(".")),
  };
}

const sources = globSync("{bin,lib,lambda}/**/*.ts", { cwd: root }).map(readSource);

/** A composition root is a file directly in lambda/ or bin/: the only places that put adapters and clock together. */
function isCompositionRoot(path: string): boolean {
  return /^(lambda|bin)\/[^/]+\.ts$/.test(path);
}

/** The folder of a file, which is its room; lib/ and bin/ have rooms of their own that count as one. */
function room(path: string): string {
  return /^(lib|bin)\//.exec(path)?.[1] ?? dirname(path);
}

/** Every room of lambda/ from the ground up: a room stands on rooms that come before it, and only on those named here. */
const floors: Readonly<Record<string, readonly string[]>> = {
  "lambda/golang": [],
  "lambda/edge": [],
  "lambda/proxy/store": ["golang"],
  "lambda/proxy/sources": ["golang", "proxy/store"],
  "lambda/proxy/policy": ["golang", "proxy/store", "proxy/sources"],
  "lambda/proxy/channels": ["golang", "edge", "proxy/sources", "proxy/policy"],
  "lambda/proxy/checksums": ["golang", "proxy/store", "proxy/sources"],
  "lambda/proxy/log": ["golang", "proxy/store"],
  "lambda/proxy/intake": ["golang", "proxy/store", "proxy/sources", "proxy/checksums"],
  "lambda/proxy/fill": [
    ...["golang", "proxy/store", "proxy/sources", "proxy/policy", "proxy/checksums", "proxy/intake"],
  ],
  "lambda/proxy/serve": ["golang", "edge", "proxy/store", "proxy/sources"],
  "lambda/proxy/upkeep": ["golang", "proxy/store"],
  "lambda/runtime": ["golang", "proxy/store", "proxy/intake"],
  "lambda/upstream/credentials": ["golang", "proxy/sources"],
  "lambda/upstream/http": ["golang", "proxy/sources", "runtime", "upstream/credentials"],
  "lambda/upstream/git": ["proxy/sources"],
  "lambda/upstream/git/pack": ["golang"],
  "lambda/upstream/git/repository": [
    ...["golang", "proxy/store", "proxy/sources", "runtime", "upstream/credentials", "upstream/http"],
    "upstream/git/pack",
  ],
  "lambda/upstream/git/attributes": ["golang"],
  "lambda/upstream/git/discovery": ["golang", "proxy/store"],
  "lambda/upstream/git/module": [
    ...["golang", "proxy/store", "proxy/sources", "runtime"],
    ...["upstream/git/pack", "upstream/git/repository", "upstream/git/attributes", "upstream/git/discovery"],
  ],
  "lambda/upstream/direct": [
    ...["proxy/store", "proxy/sources", "upstream/credentials", "upstream/http", "upstream/git"],
    ...["upstream/git/pack", "upstream/git/repository", "upstream/git/discovery", "upstream/git/module"],
  ],
  "lambda/access/audit": ["golang", "edge"],
  "lambda/access": ["golang", "edge", "access/audit", "proxy/store", "proxy/channels"],
  "lambda/access/oidc": ["golang", "edge", "access", "proxy/store"],
  "lambda/http": ["edge", "proxy/store", "proxy/serve"],
  "lambda/exchange": ["golang", "edge", "access/audit", "access", "access/oidc", "http"],
  "lambda/admin": [
    ...["golang", "edge", "access/audit", "access", "proxy/channels", "proxy/policy", "proxy/store"],
    ...["upstream/credentials", "http"],
  ],
  "lambda/publishing": ["golang", "edge", "access/audit", "access", "http", "admin", "proxy/store"],
  "lambda/webhooks": ["golang", "edge", "upstream/credentials", "http"],
  "lambda/console": ["golang", "edge", "http", "proxy/store"],
  "lambda/aws": [
    ...["golang", "edge", "access/audit", "access", "access/oidc", "http", "publishing", "runtime"],
    ...[
      "proxy/store",
      "proxy/sources",
      "proxy/channels",
      "proxy/checksums",
      "proxy/log",
      "proxy/fill",
      "proxy/serve",
      "proxy/upkeep",
    ],
    ...["upstream/credentials", "upstream/http", "upstream/direct"],
  ],
  "lambda/config": [
    "golang",
    "access",
    "access/oidc",
    "aws",
    "proxy/sources",
    "proxy/policy",
    "proxy/channels",
    "proxy/checksums",
    "proxy/log",
    "proxy/fill",
    "proxy/upkeep",
    "upstream/credentials",
    "upstream/git",
    "upstream/http",
    "webhooks",
  ],
  "lambda/local/data": ["golang", "access/audit", "proxy/store", "proxy/log", "runtime"],
  "lambda/local/access": [
    ...["golang", "edge", "config", "access", "upstream/credentials", "access/oidc", "proxy/channels", "local/data"],
  ],
  "lambda/local/server": [
    ...[
      "golang",
      "edge",
      "config",
      "access/audit",
      "access",
      "access/oidc",
      "http",
      "exchange",
      "webhooks",
      "admin",
      "publishing",
      "console",
      "runtime",
      "local/data",
      "local/access",
    ],
    ...[
      "proxy/store",
      "proxy/sources",
      "proxy/channels",
      "proxy/policy",
      "proxy/checksums",
      "proxy/fill",
      "proxy/serve",
      "proxy/upkeep",
    ],
    "upstream/credentials",
  ],
};

/** Which rooms a room may import from, beside itself. What puts everything together may reach every room of its own time. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(Object.entries(floors).map(([name, below]) => [name, below.map((each) => `lambda/${each}`)])),
  lambda: Object.keys(floors).filter((name) => !/^lambda\/(local|console)\b/.test(name)),
  lib: [
    ...["lambda/access/audit", "lambda/aws", "lambda/config", "lambda/edge", "lambda/console"],
    ...["lambda/proxy/channels", "lambda/proxy/store", "lambda/webhooks"],
  ],
  bin: ["lib", ...Object.keys(floors)],
};

function offences(rule: (source: Source) => readonly string[]): string[] {
  return sources.flatMap((source) => rule(source).map((offence) => `${source.path}: ${offence}`));
}

test("there are sources to judge", () => {
  assert.ok(sources.length > 0);
});

test("imports follow the arrows bin → lib → lambda, and each room's own", () => {
  const wrong = offences((source) => {
    const allowed = arrows[room(source.path)];
    if (allowed === undefined) return ["is in a room that has no arrows"];
    return source.files.filter(
      (file) => file.endsWith(".ts") && room(file) !== room(source.path) && !allowed.includes(room(file)),
    );
  });
  assert.deepEqual(wrong, []);
});

test("no arrow leads up, every arrow that is allowed is used, and every room is there", () => {
  const rooms = Object.keys(floors);
  const up = rooms.flatMap((name, floor) =>
    (arrows[name] ?? []).filter((below) => rooms.indexOf(below) >= floor || !rooms.includes(below)),
  );
  const unused = rooms.flatMap((name) => {
    const reached = sources.filter(({ path }) => room(path) === name).flatMap(({ files }) => files.map(room));
    return (arrows[name] ?? []).filter((below) => !reached.includes(below)).map((below) => `${name} → ${below}`);
  });
  const empty = rooms.filter((name) => !sources.some(({ path }) => room(path) === name));
  assert.deepEqual([up, unused, empty], [[], [], []]);
});

test("no file imports itself by way of others", () => {
  const imports = new Map(sources.map(({ path, files }) => [path, files]));
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path].join(" → "));
    if (way.includes(path) || done.has(path)) return;
    for (const next of imports.get(path) ?? []) visit(next, [...way, path]);
    done.add(path);
  };
  for (const path of imports.keys()) visit(path, []);
  assert.deepEqual(circles, []);
});

test("only lambda/aws imports @aws-sdk; only lib and bin/app.ts import aws-cdk-lib and constructs", () => {
  const wrong = offences((source) =>
    source.packages.filter((name) => {
      if (name.startsWith("@aws-sdk/")) return room(source.path) !== "lambda/aws";
      if (/^(aws-cdk-lib|constructs|cdk-nag)(\/|$)/.test(name)) return !/^(lib\/|bin\/app\.ts$)/.test(source.path);
      return false;
    }),
  );
  assert.deepEqual(wrong, []);
});

test("schemas are in the rooms' config.ts, and in what says which bodies administrators and publishers send: no other function brings zod", () => {
  // Types bring nothing. The control plane alone has those two rooms in its bundles (test/lib/bundles.test.ts).
  const users = sources.filter(({ text }) => /import (?!type)[^;]*"zod"/.test(text)).map(({ path }) => path);
  assert.deepEqual(
    users.filter((path) => !/^lambda\/(?:.+\/config|(?:admin|publishing)\/bodies)\.ts$/.test(path)),
    [],
  );
});

test("in lambda, only upstream sends requests of its own", () => {
  const client =
    /import (?!type)\{[^}]*\b(request|get|Agent|ClientRequest)\b[^}]*\} from "(?:node:https?|[./]+\/node-http\.ts)"|(?<![.#\w])fetch\(|"(undici|node:http2)"/;
  const senders = sources.filter(({ path, text }) => path.startsWith("lambda/") && client.test(text));
  const elsewhere = senders.filter(({ path }) => !/^lambda\/upstream\//.test(path)).map(({ path }) => path);
  // CloudFormation waits for its answer at a URL of its own.
  assert.deepEqual([senders.length > elsewhere.length, elsewhere], [true, ["lambda/aws/custom-resource.ts"]]);
});

test("lambda/golang uses no other package's code, lambda/edge no package at all", () => {
  const allowed = /^node:(buffer|crypto|zlib|stream|stream\/promises|fs|fs\/promises|path)$/;
  const wrong = offences((source) => {
    if (room(source.path) === "lambda/edge") return source.packages;
    if (room(source.path) === "lambda/golang") return source.packages.filter((name) => !allowed.test(name));
    return [];
  });
  assert.deepEqual(wrong, []);
});

test("only lambda/config/env.ts and bin read process.env", () => {
  const readers = sources.filter((source) => /\bprocess\s*\.\s*env\b/.test(source.text)).map((source) => source.path);
  const allowed = ["lambda/config/env.ts"];
  assert.deepEqual(
    readers.filter((path) => !allowed.includes(path) && !path.startsWith("bin/")),
    [],
  );
});

/** Composition roots hand the machine's time on. */
function readsClock(path: string): boolean {
  return isCompositionRoot(path) || path === "lambda/runtime/system-clock.ts";
}

test("only composition roots and the system's clock read the time", () => {
  const wrong = sources
    .filter((source) => /\bDate\.now\(|\bnew Date\(\)/.test(source.text) && !readsClock(source.path))
    .map((source) => source.path);
  assert.deepEqual(wrong, []);
});

test("Go's default proxy is named in one place", () => {
  const host = new URL(goDefaultProxy.split(",", 1)[0] ?? "").host;
  const namers = sources.filter((source) => source.text.includes(host)).map((source) => source.path);
  assert.deepEqual(namers, ["lambda/proxy/sources/go-default-proxy.ts"]);
});

test("disk, threads and timers reach lambda/proxy through its interfaces", () => {
  const direct =
    /"node:(fs|fs\/promises|worker_threads|timers|timers\/promises)"|\b(setTimeout|setInterval|Date\.now)\(/;
  const wrong = sources.filter(({ path, text }) => path.startsWith("lambda/proxy/") && direct.test(text));
  assert.deepEqual(
    wrong.map(({ path }) => path),
    [],
  );
});

test("in lambda/proxy, turns are given in one place, and chance spaces retries only", () => {
  const users = sources.filter(
    ({ path, text }) => path.startsWith("lambda/proxy/") && /\bsetImmediate\(|\bMath\.random\b/.test(text),
  );
  // Neither is time that a test would set: a turn is the event loop's own, and what spaces retries brings its chance along.
  assert.deepEqual(users.map(({ path }) => path).sort(), [
    "lambda/proxy/log/pace.ts",
    "lambda/proxy/sources/upstream-chain.ts",
    "lambda/proxy/store/in-turns.ts",
  ]);
});
