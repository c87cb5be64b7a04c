import assert from "node:assert/strict";
import { test } from "node:test";
import { hashGoMod } from "../../../lambda/golang/dirhash.ts";
import { checkZip, sayTheSame } from "../../../lambda/proxy/intake/verification.ts";

const module = { path: "corp.example/m", version: "v1.0.0" };
const goMod = "module corp.example/m\n\ngo 1.21\n\nrequire example.com/a v1.0.0 // indirect\n";

/** Two go.mod files, and whether the go command reads the same out of them. */
const pairs: readonly (readonly [one: string, other: string, same: boolean])[] = [
  [goMod, goMod, true],
  [goMod, goMod.replaceAll("\n", "\r\n"), true],
  [goMod, goMod.trimEnd(), true],
  [goMod, `// Made by a registry.\n\n${goMod}`, true],
  [
    goMod,
    goMod.replace("require example.com/a v1.0.0 // indirect", "require (\n\texample.com/a v1 // indirect\n)"),
    true,
  ],
  ["module corp.example/m\n", "module corp.example/m", true],
  // A directive that no dependent ever reads.
  [goMod, `${goMod}tool corp.example/m/cmd\n`, true],
  [goMod, goMod.replace("v1.0.0", "v1.0.1"), false],
  [goMod, goMod.replace(" // indirect", ""), false],
  [goMod, goMod.replace("1.21", "1.22"), false],
  [goMod, goMod.replace("corp.example/m", "corp.example/n"), false],
  [goMod, `${goMod}retract v1.0.0\n`, false],
  [goMod, `${goMod}replace example.com/a => ../a\n`, false],
  [goMod, `${goMod}exclude example.com/a v1.0.1\n`, false],
  [goMod, `// Deprecated: gone\n${goMod}`, false],
  [goMod, "module corp.example/m\n", false],
  [goMod, "module (", false],
  // Long ones are compared by their bytes.
  [goMod, `${goMod}//${" ".repeat(64 * 1024)}\n`, false],
];

test("two go.mod files agree when the go command reads the same out of them", () => {
  for (const [one, other, same] of pairs) {
    const [a, b] = [Buffer.from(one), Buffer.from(other)];
    assert.deepEqual([sayTheSame(a, b), sayTheSame(b, a)], [same, same], other.slice(0, 200));
  }
});

test("where the checksum database speaks for a version, its bytes count", () => {
  const mod = Buffer.from(goMod);
  const facts = { hash: "h1:zip", goMod: Buffer.from(goMod.trimEnd()) };
  const hashes = { zip: "h1:zip", goMod: hashGoMod(mod) };
  checkZip(module, facts, mod, undefined);
  assert.throws(() => checkZip(module, facts, mod, hashes), { code: "invalid-module" });
});

test("a module without a go.mod has the one that names it, with or without its line end", () => {
  const facts = { hash: "h1:zip", goMod: undefined };
  checkZip(module, facts, Buffer.from("module corp.example/m\n"), undefined);
  checkZip(module, facts, Buffer.from("module corp.example/m"), undefined);
  assert.throws(() => checkZip(module, facts, Buffer.from(goMod), undefined), { code: "invalid-module" });
});
