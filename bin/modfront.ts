#!/usr/bin/env node
import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CodedError, isCodedError } from "../lambda/golang/coded-error.ts";
import type { Terminal, Verb } from "./verbs/verb.ts";

// The CLI: results on stdout, everything else on stderr; exit codes 0 done, 1 failed, 2 wrong usage or configuration.

/** Loaded one at a time: the go command runs `credential` anew after every answer 4xx. */
const verbs: Readonly<Record<string, () => Promise<Verb>>> = {
  token: async () => (await import("./verbs/token.ts")).token,
  channel: async () => (await import("./verbs/channel.ts")).channel,
  block: async () => (await import("./verbs/block.ts")).block,
  unblock: async () => (await import("./verbs/block.ts")).unblock,
  blocks: async () => (await import("./verbs/block.ts")).blocks,
  audit: async () => (await import("./verbs/audit.ts")).audit,
  login: async () => (await import("./verbs/login.ts")).login,
  credential: async () => (await import("./verbs/credential.ts")).credential,
  upstream: async () => (await import("./verbs/upstream.ts")).upstream,
  reindex: async () => (await import("./verbs/reindex.ts")).reindexVerb,
  log: async () => (await import("./verbs/log.ts")).logVerb,
  adopt: async () => (await import("./verbs/adopt.ts")).adopt,
  publish: async () => (await import("./verbs/publish.ts")).publish,
  yank: async () => (await import("./verbs/yank.ts")).yank,
  unyank: async () => (await import("./verbs/yank.ts")).unyank,
  allow: async () => (await import("./verbs/allow.ts")).allow,
  explain: async () => (await import("./verbs/explain.ts")).explain,
  doctor: async () => (await import("./verbs/doctor.ts")).doctor,
};

async function help(): Promise<string> {
  const rows = Object.entries(verbs).map(async ([name, load]) => {
    const { usage, summary } = await load();
    return `  modfront ${name} ${usage}\n      ${summary}`;
  });
  return `usage: modfront VERB …\n\n${(await Promise.all(rows)).join("\n")}\n`;
}

async function run(args: readonly string[]): Promise<number> {
  const [name = "", ...rest] = args;
  if (["help", "--help", "-h"].includes(name)) {
    process.stdout.write(await help());
    return 0;
  }
  const load = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (load === undefined) throw new CodedError("usage", `there is no verb ${JSON.stringify(name)}\n\n${await help()}`);
  return (await load()).run(rest, terminal);
}

const terminal: Terminal = {
  print: (line) => process.stdout.write(`${line}\n`),
  write: (result) => process.stdout.write(result),
  note: (line) => process.stderr.write(`${line}\n`),
  // To the first column, and what stands there is erased.
  progress: (line) => process.stderr.isTTY && process.stderr.write(`\r\x1b[K${line}`),
  readSecret: (prompt) => (process.stdin.isTTY ? typeSecret(prompt) : readAll()),
  readLine: () => (process.stdin.isTTY ? Promise.resolve("") : readLine()),
  environment: process.env,
  platform: process.platform,
  now: () => Date.now(),
};

async function readAll(): Promise<string> {
  const { text } = await import("node:stream/consumers");
  return await text(process.stdin);
}

/** No line that is waited for is longer. */
async function readLine(): Promise<string> {
  let read = "";
  for await (const chunk of process.stdin) {
    read += chunk;
    if (read.includes("\n") || read.length > 8192) break;
  }
  return read.split("\n", 1)[0] ?? "";
}

/** The line editor writes what is typed: into nothing here. */
async function typeSecret(prompt: string): Promise<string> {
  const { createInterface } = await import("node:readline/promises");
  const { Writable } = await import("node:stream");
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const editor = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  editor.once("SIGINT", () => process.exit(130));
  process.stderr.write(prompt);
  try {
    return await editor.question("");
  } finally {
    editor.close();
    process.stderr.write("\n");
  }
}

// Installed, the program is a link to this file.
if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  // A data folder that a verb makes may come to hold private modules: it is its owner's alone.
  process.umask(0o077);
  run(process.argv.slice(2)).then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      process.stderr.write(`modfront: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = isCodedError<string>(error, "usage", "config") ? 2 : 1;
    },
  );
}
