import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, test } from "node:test";

// The whole app under cdk-nag's AwsSolutions (which bin/app.ts adds) and cfn-lint, each exception explained where it is
// made. cfn-lint is a Python program: it lives in the emulator's venv.

const root = join(import.meta.dirname, "../..");
const bin = join(root, "node_modules/.bin");
const python = join(root, ".venv/bin");
const folder = mkdtempSync(join(tmpdir(), "modfront-lint-"));

after(() => rmSync(folder, { recursive: true }));

function run(program: string, args: readonly string[], env: Record<string, string> = {}) {
  const PATH = [bin, process.env.PATH].join(delimiter);
  const options = { cwd: root, encoding: "utf8", env: { ...process.env, ...env, PATH } } as const;
  const { status, stdout, stderr } = spawnSync(program, args, options);
  return { status, text: `${stdout}${stderr}` };
}

test("cdk-nag and cfn-lint have nothing to say", () => {
  if (!existsSync(join(python, "cfn-lint"))) {
    const { status, text } = run("sh", ["-c", `python3 -m venv .venv && ${python}/pip install -q cfn-lint==1.58.0`]);
    assert.equal(status, 0, text);
  }
  const synth = run(join(bin, "cdk"), ["synth", "--quiet", "--output", folder], { HOME: folder });
  assert.equal(synth.status, 0, synth.text);
  assert.doesNotMatch(synth.text, /ERROR|AwsSolutions/);
  const lint = run(join(python, "cfn-lint"), globSync(join(folder, "*.template.json")));
  assert.equal(lint.status, 0, lint.text);
});
