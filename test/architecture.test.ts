import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { goDefaultProxy } from "../lambda/proxy/go-default-proxy.ts";

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

function room(path: string): string {
  const parts = path.split("/");
  return parts.length > 2 ? parts.slice(0, 2).join("/") : (parts[0] ?? "");
}

/** Which rooms a room may import from, beside itself. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  bin: [
    "lib",
    "lambda",
    "lambda/golang",
    "lambda/proxy",
    "lambda/upstream",
    "lambda/http",
    "lambda/edge",
    "lambda/local",
    "lambda/aws",
    "contracts",
  ],
  contracts: ["lambda/golang"],
  platform: [],
  lib: ["contracts", "lambda", "lambda/golang", "lambda/proxy", "lambda/http", "lambda/edge"],
  lambda: ["contracts", "lambda/golang", "lambda/proxy", "lambda/upstream", "lambda/http", "lambda/edge", "lambda/aws"],
  "lambda/golang": [],
  "lambda/edge": [],
  "lambda/proxy": ["lambda/golang"],
  "lambda/upstream": ["platform", "lambda/golang", "lambda/proxy"],
  "lambda/http": ["lambda/golang", "lambda/proxy", "lambda/edge"],
  "lambda/local": ["contracts", "platform", "lambda/golang", "lambda/proxy", "lambda/http", "lambda/edge"],
  "lambda/aws": ["lambda/golang", "lambda/proxy", "lambda/http", "lambda/edge"],
};

/** What the configuration file and the environment may hold is known to more rooms than the composition roots beside it. */
const contracts: readonly string[] = ["lambda/config.ts", "lambda/env.ts"];

/** What stands for a module of node's. */
const platform: readonly string[] = ["lambda/node-http.ts"];

/** lib/ and bin/ have rooms of their own; they count as one. */
function owner(path: string): string {
  if (platform.includes(path)) return "platform";
  if (contracts.includes(path)) return "contracts";
  return /^(lib|bin)\//.exec(path)?.[1] ?? room(path);
}

function offences(rule: (source: Source) => readonly string[]): string[] {
  return sources.flatMap((source) => rule(source).map((offence) => `${source.path}: ${offence}`));
}

test("there are sources to judge", () => {
  assert.ok(sources.length > 0);
});

test("imports follow the arrows bin → lib → lambda, and each room's own", () => {
  const wrong = offences((source) => {
    const allowed = arrows[owner(source.path)];
    if (allowed === undefined) return ["is in a room that has no arrows"];
    return source.files.filter(
      (file) => file.endsWith(".ts") && owner(file) !== owner(source.path) && !allowed.includes(owner(file)),
    );
  });
  assert.deepEqual(wrong, []);
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

test("in lambda, only upstream sends requests of its own", () => {
  const client =
    /import (?!type)\{[^}]*\b(request|get|Agent|ClientRequest)\b[^}]*\} from "(?:node:https?|[./]+\/node-http\.ts)"|(?<![.#\w])fetch\(|"(undici|node:http2)"/;
  const senders = sources.filter(({ path, text }) => path.startsWith("lambda/") && client.test(text));
  const elsewhere = senders.filter(({ path }) => room(path) !== "lambda/upstream").map(({ path }) => path);
  // CloudFormation waits for its answer at a URL of its own.
  assert.deepEqual([senders.length > elsewhere.length, elsewhere], [true, ["lambda/aws/custom-resource.ts"]]);
});

test("lambda/golang uses no other package's code, lambda/edge no package at all", () => {
  const allowed = /^(node:(buffer|crypto|zlib|stream|stream\/promises|fs|fs\/promises|path)|yazl)$/;
  const wrong = offences((source) => {
    if (room(source.path) === "lambda/edge") return source.packages;
    if (room(source.path) === "lambda/golang") return source.packages.filter((name) => !allowed.test(name));
    return [];
  });
  assert.deepEqual(wrong, []);
});

test("only lambda/env.ts and the local settings read process.env", () => {
  const readers = sources.filter((source) => /\bprocess\s*\.\s*env\b/.test(source.text)).map((source) => source.path);
  const allowed = ["lambda/env.ts"];
  assert.deepEqual(
    readers.filter((path) => !allowed.includes(path) && !path.startsWith("bin/")),
    [],
  );
});

test("only composition roots read the clock", () => {
  const wrong = sources
    .filter((source) => /\bDate\.now\(|\bnew Date\(\)/.test(source.text) && !isCompositionRoot(source.path))
    .map((source) => source.path);
  assert.deepEqual(wrong, []);
});

test("Go's default proxy is named in one place", () => {
  const host = new URL(goDefaultProxy.split(",", 1)[0] ?? "").host;
  const namers = sources.filter((source) => source.text.includes(host)).map((source) => source.path);
  assert.deepEqual(namers, ["lambda/proxy/go-default-proxy.ts"]);
});
