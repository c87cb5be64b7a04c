import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

/** One question to golang.org/x/mod: the name of a handler in test/xmod and its arguments. */
export interface XmodRequest {
  readonly fn: string;
  readonly args: readonly unknown[];
}

/** What x/mod answered: a value, or the text of its error. */
export type XmodAnswer =
  | { readonly ok: unknown; readonly err?: undefined }
  | { readonly ok: null; readonly err: string };

const source = join(import.meta.dirname, "../xmod");

/** The reason to skip a comparison with x/mod, or `false` where Go is installed: for node:test's `skip` option. */
export const skipWithoutGo: string | false =
  spawnSync("go", ["version"]).status === 0 ? false : "Go is not installed: nothing to compare with x/mod";

let program: string | undefined;

function buildProgram(): string {
  const path = join(mkdtempSync(join(tmpdir(), "modfront-xmod-")), "xmod");
  const build = spawnSync("go", ["build", "-o", path, "."], { cwd: source, encoding: "utf8" });
  if (build.status !== 0) throw new Error(`go build test/xmod: ${build.stderr}`);
  return path;
}

/** Asks x/mod every question in one run of the Go program in test/xmod; the answers come in the same order. */
export async function askXmod(requests: readonly XmodRequest[]): Promise<readonly XmodAnswer[]> {
  program ??= buildProgram();
  const child = spawn(program, { stdio: ["pipe", "pipe", "inherit"] });
  const output = text(child.stdout);
  child.stdin.end(requests.map((request) => JSON.stringify(request)).join("\n"));
  const answers = (await output).split("\n").slice(0, -1);
  if (answers.length !== requests.length) throw new Error(`x/mod answered ${answers.length} of ${requests.length}`);
  return answers.map((line) => JSON.parse(line) as XmodAnswer);
}
