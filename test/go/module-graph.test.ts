import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { makeDataFolder } from "../support/data-folder.ts";
import { GoMachine, realUpstream, skipWithoutUpstream } from "../support/go-command.ts";
import { ModfrontProcess } from "../support/modfront-process.ts";
import { RecordingProxy } from "../support/recording-proxy.ts";

// The real go command downloads a large graph through `npm start`: first from the real upstream, then from what is stored.
// Every run has empty caches and GOSUMDB on, so that go itself verifies what it gets against sum.golang.org's log.

const goMod = "module example.com/main\n\ngo 1.25\n\nrequire github.com/prometheus/prometheus v0.310.0\n";

/** What `go mod download all` got, and the go.sum it wrote. */
async function downloadGraph(proxy: string): Promise<{ readonly modules: readonly string[]; readonly goSum: string }> {
  using machine = new GoMachine(proxy).write("go.mod", goMod);
  const run = await machine.go("mod", "download", "-json", "all");
  assert.equal(run.code, 0, run.stderr);
  const modules = [...run.stdout.matchAll(/^\t"Path": "(.*)",\n\t"Version": "(.*)",$/gm)].map(
    ([, path, version]) => `${path}@${version}`,
  );
  return { modules: modules.toSorted(), goSum: readFileSync(join(machine.folder, "go.sum"), "utf8") };
}

describe("the graph of prometheus with the real go command", { skip: await skipWithoutUpstream() }, () => {
  const data = makeDataFolder();
  let upstream: RecordingProxy;
  let modfront: ModfrontProcess;
  let first: Awaited<ReturnType<typeof downloadGraph>>;

  before(async () => {
    upstream = await RecordingProxy.start(realUpstream() ?? "");
    modfront = await ModfrontProcess.start("--data", data.path, "--upstream", upstream.url);
  });
  after(async () => {
    await modfront?.[Symbol.asyncDispose]();
    await upstream?.stop();
    data.remove();
  });

  test("downloads 249 modules", async () => {
    first = await downloadGraph(modfront.url);
    assert.equal(first.modules.length, 249);
    assert.ok(first.modules.includes("github.com/prometheus/prometheus@v0.310.0"));
  });

  test("no file and no record was fetched twice", () => {
    // A tile may be: until its proof is complete it is nobody's yet.
    const files = upstream.served.filter((target) => !target.includes("/tile/"));
    const twice = files.filter((target, i, all) => all.indexOf(target) !== i);
    assert.deepEqual(twice, []);
    assert.ok(upstream.served.length > 3 * 249, "the upstream was asked");
  });

  test("a second empty machine needs no upstream, and verifies everything against the stored log", async () => {
    await upstream.stop();
    const asked = upstream.targets.length;
    assert.deepEqual(await downloadGraph(modfront.url), first);
    assert.equal(upstream.targets.length, asked);
  });

  test("an empty machine needs no server at all for pinned versions: the data folder by file://", async () => {
    using machine = new GoMachine(`file://${data.path}/mod`).write("go.mod", "module example.com/main\n");
    const pinned = first.modules.filter((module, i) => i % 12 === 0 || module.includes("prometheus/prometheus@"));
    const run = await machine.go("mod", "download", "-json", ...pinned);
    assert.equal(run.code, 0, run.stderr + run.stdout);
    const sums = [...run.stdout.matchAll(/"Sum": "(.*)"/g)].map(([, sum]) => sum ?? "");
    assert.equal(sums.length, pinned.length);
    for (const sum of sums) assert.ok(first.goSum.includes(sum), sum);
  });

  test("SIGTERM ends it with exit code 0 and without a word", async () => {
    const end = await modfront.stop();
    assert.deepEqual({ code: end.code, stderr: end.stderr }, { code: 0, stderr: "" });
  });
});
