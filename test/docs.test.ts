import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { schemaText } from "../bin/schema.ts";
import { parseConfig } from "../lambda/config/config.ts";
import { usage } from "../lambda/local/server/settings.ts";
import packageJson from "../package.json" with { type: "json" };

// What the documentation names exists.

const root = join(import.meta.dirname, "..");
const pages = globSync(["*.md", "docs/**/*.md"], { cwd: root });
const read = (path: string) => readFileSync(join(root, path), "utf8");
const readme = read("README.md");

/** The commands of code blocks that begin with npm, each without its comment. */
function commands(text: string): readonly string[] {
  const blocks = [...text.matchAll(/^```[a-z]*\n([\s\S]*?)^```/gm)].map(([, block = ""]) => block);
  return blocks.flatMap((block) => block.split(/\n|&&/)).flatMap((line) => line.match(/^\s*npm [^#]+/) ?? []);
}

test("the README has its two commands", () => {
  const lines = readme.split("\n");
  for (const command of ["npm ci && npm start", "npm ci && npm test"]) assert.ok(lines.includes(command), command);
});

test("npm scripts and verbs named in the documentation exist", () => {
  const named = pages.flatMap((page) => commands(read(page)).map((command) => [page, command] as const));
  assert.ok(named.length > 5);
  const verbs = execFileSync(process.execPath, [join(root, "bin/modfront.ts"), "help"], { encoding: "utf8" });
  for (const [page, command] of named.filter(([, each]) => !each.includes("-- help"))) {
    const [, script = ""] = /^\s*npm (?:run (?:-s )?)?([\w:-]+)/.exec(command) ?? [];
    assert.ok(["ci", "install"].includes(script) || Object.hasOwn(packageJson.scripts, script), `${page}: ${command}`);
    const verb = /\bmodfront -- (\w+)/.exec(command)?.[1];
    assert.ok(verb === undefined || verbs.includes(`modfront ${verb} `), `${page}: ${verb}`);
  }
});

test("links within the documentation lead somewhere", () => {
  for (const page of pages) {
    for (const [, target = ""] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target) || target.startsWith("#")) continue;
      assert.ok(existsSync(join(root, dirname(page), target.replace(/#.*/, ""))), `${page}: ${target}`);
    }
  }
});

test("files named in the documentation exist", () => {
  for (const page of pages) {
    for (const [, path = ""] of read(page).matchAll(/`((?:bin|lib|lambda|test|docs)\/[\w./-]+)`/g))
      assert.ok(existsSync(join(root, path)), `${page}: ${path}`);
  }
});

test("pages that are cited are in the repository, and have the cited section", () => {
  const texts = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.ts", "*.md"], {
    cwd: root,
    encoding: "utf8",
  });
  // Addresses of others, and names that tests make up.
  const foreign = /https?:\/\/\S+|-\/preheat\/\S+/g;
  let cited = 0;
  for (const path of texts
    .trim()
    .split("\n")
    .filter((each) => existsSync(join(root, each)))) {
    const text = read(path).replace(foreign, "");
    for (const [, page = "", sections = ""] of text.matchAll(/([\w/.-]+\.md)((?:(?:,| and)? "[^"\n]+")*)/g)) {
      const target = pages.find((each) => `/${each}`.endsWith(`/${page.replace(/^(?:\.\.?\/)+/, "")}`));
      assert.ok(target !== undefined, `${path} cites ${page}`);
      const headings = new Set([...read(target).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading));
      for (const [, section = ""] of sections.matchAll(/"([^"]+)"/g)) {
        cited++;
        assert.ok(headings.has(section), `${path} cites ${page} "${section}"`);
      }
    }
  }
  assert.ok(cited > 5);
});

test("names of code in docs/architecture.md are in the code", () => {
  const code = globSync("{bin,lib,lambda}/**/*.ts", { cwd: root }).map(read).join("\n");
  const words = new Set(code.match(/[A-Za-z]\w*/g));
  const named = [...read("docs/architecture.md").matchAll(/`#?([A-Za-z]\w*(?:\.[a-z]\w*)?)`/g)].map(
    ([, name = ""]) => name,
  );
  assert.ok(named.length > 20);
  for (const name of named.filter((each) => !/\.(ts|mod|json)$/.test(each)))
    for (const word of name.split(".")) assert.ok(words.has(word), name);
});

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
}

/** `"private"`, `"ttl.list"`: the keys of the configuration that hold a value. */
function keysOf({ properties = {} }: SchemaNode, path = ""): readonly string[] {
  const { $schema: forEditors, ...keys } = properties;
  return Object.entries(keys).flatMap(([key, node]) =>
    node.properties === undefined ? [path + key] : keysOf(node, `${path}${key}.`),
  );
}

const isLocal = (key: string) => !/^(?:preheat|aws)\./.test(key);

test("the README's settings are those of the code", () => {
  const flags = (text: string) => [...new Set([...text.matchAll(/--[a-z][a-z-]+/g)].map(([flag]) => flag))].sort();
  const table = readme.split("\n").filter((line) => line.startsWith("| `--"));
  assert.deepEqual(flags(table.join("\n")), flags(usage));
  // A cell is `ttl.list`, `ttl.query` or in short `ttl.list`, `.query`.
  const keys = [...readme.matchAll(/^\| (`[a-z][^|]*)\|/gm)].flatMap(([, cell = ""]) => {
    const [group = ""] = cell.match(/[a-zA-Z]+/) ?? [];
    return [...cell.matchAll(/`([a-zA-Z.]+)`/g)].map(([, key = ""]) => (key.startsWith(".") ? group + key : key));
  });
  assert.deepEqual(keys.sort(), keysOf(JSON.parse(schemaText())).filter(isLocal).sort());
});

test("what of the configuration is for a deployment is explained to those who deploy", () => {
  const words = new Set(`${read("docs/deploy.md")} ${read("docs/cost.md")}`.match(/\w+/g));
  for (const key of keysOf(JSON.parse(schemaText())).filter((each) => !isLocal(each)))
    for (const word of key.split(".")) assert.ok(words.has(word), key);
});

test("the README's configurations are configurations", () => {
  const examples = [...readme.matchAll(/^```json\n([\s\S]*?)^```/gm)].map(([, text = ""]) => text);
  assert.ok(examples.length > 0);
  for (const example of examples) assert.ok(parseConfig(example));
});
