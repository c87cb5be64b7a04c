import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runCli } from "../support/cli.ts";
import { dataFolder, makeDataFolder } from "../support/data-folder.ts";
import { realUpstream, skipWithoutUpstream } from "../support/go-command.ts";
import { ModfrontProcess } from "../support/modfront-process.ts";

test("the real gorelease says what the next version may be, and the rules hold whoever publishes to it", {
  skip: await skipWithoutUpstream(),
}, async (t) => {
  const [data, module, config] = [dataFolder(t), dataFolder(t), join(dataFolder(t), "config.json")];
  const rules = [{ modules: "corp.example", api: "enforce" }];
  writeFileSync(config, JSON.stringify({ private: ["corp.example"], publishing: { rules } }));
  await using modfront = await ModfrontProcess.start(
    "--data",
    data,
    "--config",
    config,
    "--upstream",
    realUpstream() ?? "",
  );
  const made = [
    "--subject",
    "ci",
    "--role",
    "publisher",
    "--modules",
    "corp.example",
    "--data",
    data,
    "--config",
    config,
  ];
  const { stdout: token } = await runCli(["token", "create", ...made]);
  // What go compiled before is used again.
  const { GOCACHE = "", HOME = "" } = process.env;
  const cache = GOCACHE === "" ? join(HOME, ".cache/go-build") : GOCACHE;
  const home = makeDataFolder();
  t.after(() => {
    spawnSync("chmod", ["-R", "u+w", home.path]);
    home.remove();
  });
  const publish = (version: string, source: string) => {
    writeFileSync(join(module, "go.mod"), "module corp.example/api\n\ngo 1.24\n");
    writeFileSync(join(module, "api.go"), `package api\n\n${source}\n`);
    const environment = { HOME: home.path, GOCACHE: cache, MODFRONT_TOKEN: token.trim() };
    return runCli(["publish", module, "--version", version, "--api", "--url", modfront.url], { environment });
  };
  const first = await publish("v1.0.0", "func A() {}");
  assert.equal(first.code, 0, first.stderr);
  // Of a module that is not there yet nobody lists versions.
  assert.match(first.stderr, /^the API is not compared: /m);
  const broken = await publish("v1.1.0", "func A(int) {}");
  assert.equal(broken.code, 1, broken.stderr);
  assert.match(broken.stderr, /^A: changed from func\(\) to func\(int\)$/m);
  assert.match(broken.stderr, /^modfront: the API of v1\.1\.0 breaks that of v1\.0\.0/m);
  const unknown = await publish("v1.1.0", "func A() { undefined() }");
  assert.match(unknown.stderr, /^modfront: .*(?:could not be compared|wants a comparison)/m);
  const grown = await publish("v1.1.0", "func A() {}\n\nfunc B() {}");
  assert.equal(grown.code, 0, grown.stderr);
  assert.match(grown.stderr, /^Inferred base version: v1\.0\.0$/m);
});
