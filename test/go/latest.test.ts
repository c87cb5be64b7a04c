import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { escapePath } from "../../lambda/golang/module.ts";
import { makeDataFolder } from "../support/data-folder.ts";
import { GoMachine, realUpstream, skipWithoutUpstream } from "../support/go-command.ts";
import { ModfrontProcess } from "../support/modfront-process.ts";
import { get } from "../support/product.ts";

// What the real go command makes of the real upstream's lists for `latest`, and what our `/@latest` says.

const goMod = "module example.com/main\n\ngo 1.25\n\nrequire github.com/prometheus/prometheus v0.310.0\n";

/** Modules whose highest version is `+incompatible`, and is or is not their latest. */
const incompatible = [
  "github.com/docker/docker",
  "github.com/google/flatbuffers",
  "github.com/oracle/oci-go-sdk",
  "github.com/pierrec/lz4",
  "github.com/cenkalti/backoff",
];

describe("the latest of several hundred modules", { skip: await skipWithoutUpstream() }, () => {
  const data = makeDataFolder();
  let modfront: ModfrontProcess;

  before(async () => {
    modfront = await ModfrontProcess.start("--data", data.path, "--upstream", realUpstream() ?? "");
  });
  after(async () => {
    await modfront?.[Symbol.asyncDispose]();
    data.remove();
  });

  test("is what the go command takes for it", async (t) => {
    using machine = new GoMachine(realUpstream() ?? "").write("go.mod", goMod);
    const graph = await machine.go("mod", "graph");
    assert.equal(graph.code, 0, graph.stderr);
    const paths = [...graph.stdout.matchAll(/ ([^@\s]+)@/g)].map((each) => each[1] ?? "");
    const modules = [...new Set([...incompatible, ...paths])].filter((path) => path.includes("/"));
    const latest = await goLatest(machine, modules);
    const differences: string[] = [];
    await inParallel(8, [...latest], async ([path, version]) => {
      const { status, body } = await get(modfront.url, `/${escapePath(path)}/@latest`);
      const ours = status === 200 ? (JSON.parse(body.toString()) as { Version: string }).Version : `${status} ${body}`;
      if (ours !== version) differences.push(`${path}: go ${version}, ours ${ours}`);
    });
    t.diagnostic(`${latest.size} of ${modules.length} modules compared`);
    assert.deepEqual(differences, []);
    assert.ok(latest.size > 200, `only ${latest.size} modules`);
    assert.ok(incompatible.some((path) => latest.get(path)?.endsWith("+incompatible")));
  });
});

/** What go says of each `M@latest`, for those of which it can say something. */
async function goLatest(machine: GoMachine, modules: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await machine.go(
    "list",
    "-m",
    "-e",
    "-f",
    "{{.Path}} {{if not .Error}}{{.Version}}{{end}}",
    ...modules.map((path) => `${path}@latest`),
  );
  const told = stdout.split("\n").map((line) => line.split(" ", 2) as [string, string | undefined]);
  return new Map(told.flatMap(([path, version]) => (version ? [[path, version] as const] : [])));
}

async function inParallel<T>(width: number, items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const item of rest) await work(item);
    }),
  );
}
