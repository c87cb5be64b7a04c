import assert from "node:assert/strict";
import { test } from "node:test";
import type { FillRequest } from "../../../lambda/proxy/store/fill-plane.ts";
import { fileKey, policies } from "../../../lambda/proxy/store/layout.ts";
import { runJob } from "../../../lambda/proxy/upkeep/background.ts";
import { parseJob } from "../../../lambda/proxy/upkeep/background-job.ts";
import { MemoryModuleStore, MemoryVersionIndex } from "../../support/memory-adapters.ts";

const path = "example.com/m";

/** What these jobs have no use for. */
const unused = {
  clock: { now: () => 0 },
  purges: { purge: () => assert.fail("nothing is purged") },
  sweep: () => assert.fail("nothing is swept"),
};

/** What a job asks of the fill plane when the upstream lists `list`, as `"zip v1.0.0"`. */
async function askedBy(stored: Readonly<Record<string, string>>, list: readonly string[]): Promise<readonly string[]> {
  const store = new MemoryModuleStore();
  const index = new MemoryVersionIndex();
  for (const [version, kinds] of Object.entries(stored)) {
    await index.addVersion(path, version, 1, {});
    for (const kind of kinds.split(" ") as ("info" | "mod" | "zip")[])
      await store.create(fileKey({ path, version }, kind), Buffer.from("x"), policies.internal);
  }
  const asked: string[] = [];
  const fill = async (request: FillRequest) => {
    asked.push("module" in request ? `${request.kind} ${request.module.version}` : request.kind);
    return { body: Buffer.from(request.kind === "list" ? list.map((version) => `${version}\n`).join("") : "") };
  };
  await runJob(
    { fill: { fill }, index, store, reveal: async () => {}, logBacklog: async () => {}, ...unused },
    { kind: "refresh", path },
  );
  return asked.filter((each) => each !== "list" && each !== "latest");
}

const rows: readonly (readonly [
  what: string,
  stored: Readonly<Record<string, string>>,
  list: readonly string[],
  asked: readonly string[],
])[] = [
  ["nothing new", { "v1.0.0": "info mod zip" }, ["v1.0.0"], []],
  ["a new version of what was unpacked", { "v1.0.0": "info mod zip" }, ["v1.0.0", "v1.1.0"], ["zip v1.1.0"]],
  [
    "a new version of which the latest was asked already",
    { "v1.0.0": "info mod zip", "v1.1.0": "info mod" },
    ["v1.0.0", "v1.1.0"],
    ["zip v1.1.0"],
  ],
  ["a module that is only in graphs", { "v1.0.0": "mod" }, ["v1.0.0", "v1.1.0"], ["info v1.1.0", "mod v1.1.0"]],
  ["a module of which nothing is stored", {}, ["v1.0.0"], ["zip v1.0.0"]],
  [
    "many new versions: the newest three",
    { "v1.0.0": "zip" },
    ["v1.0.0", "v1.1.0", "v1.2.0", "v1.3.0", "v1.4.0"],
    ["zip v1.2.0", "zip v1.3.0", "zip v1.4.0"],
  ],
  ["prereleases where none is used", { "v1.0.0": "zip" }, ["v1.0.0", "v1.1.0-rc.1"], []],
  ["prereleases where one is", { "v1.0.0-rc.1": "zip" }, ["v1.0.0-rc.1", "v1.0.0-rc.2"], ["zip v1.0.0-rc.2"]],
  ["a pseudo-version is no prerelease in use", { "v1.0.1-0.20240102030405-abcdefabcdef": "zip" }, ["v1.1.0-rc.1"], []],
];

for (const [what, stored, list, asked] of rows) {
  test(`refresh: ${what}`, async () => assert.deepEqual(await askedBy(stored, list), asked));
}

const jobs: readonly (readonly [text: string, job: unknown])[] = [
  ['{"kind":"refresh","path":"example.com/m"}', { kind: "refresh", path }],
  [
    '{"kind":"zip","module":{"path":"example.com/m","version":"v1.0.0","more":1},"more":1}',
    { kind: "zip", module: { path, version: "v1.0.0" } },
  ],
  ['{"kind":"reveal","key":"example.com/m/@v/v1.0.0.mod"}', { kind: "reveal", key: "example.com/m/@v/v1.0.0.mod" }],
  ['{"kind":"reveal","key":["a"]}', undefined],
  ["", undefined],
  ["null", undefined],
  ["[]", undefined],
  ['{"kind":"list","path":"example.com/m"}', undefined],
  ['{"kind":"refresh"}', undefined],
  ['{"kind":"refresh","path":"../m"}', undefined],
  ['{"kind":"zip"}', undefined],
  ['{"kind":"zip","module":{"path":"example.com/m","version":"master"}}', undefined],
  ['{"kind":"zip","module":{"path":"example.com/m","version":"v1.0"}}', undefined],
  ['{"kind":"zip","module":{"path":"example.com/m","version":"v2.0.0"}}', undefined],
  ['{"kind":"zip","module":{"path":{"toString":1},"version":"v1.0.0"}}', undefined],
];

for (const [text, job] of jobs) {
  test(`a message ${job === undefined ? "is no job" : "is a job"}: ${text}`, () => {
    if (job === undefined) assert.throws(() => parseJob(text), { code: "bad-job" });
    else assert.deepEqual(parseJob(text), job);
  });
}

const keys: readonly (readonly [key: string, revealed: readonly unknown[]])[] = [
  ["example.com/!m/@v/v1.0.0.mod", [["mod", { path: "example.com/M", version: "v1.0.0" }]]],
  ["-/preheat/@v/go.mod", []],
  ["sumdb/sum.golang.org/lookup/example.com/m@v1.0.0", []],
];

for (const [key, revealed] of keys) {
  test(`the file ${key} is ${revealed.length === 0 ? "nobody's" : "revealed"}`, async () => {
    const asked: unknown[] = [];
    const parts = {
      ...unused,
      fill: { fill: () => assert.fail("nothing is obtained") },
      index: new MemoryVersionIndex(),
      store: new MemoryModuleStore(),
      reveal: async (...file: readonly unknown[]) => void asked.push(file),
      logBacklog: async () => {},
    };
    await runJob(parts, { kind: "reveal", key });
    assert.deepEqual(asked, revealed);
  });
}

test("what was stored before there was a log is a job of its own, and nothing else", async () => {
  let turns = 0;
  const fill = { fill: () => assert.fail("nothing is obtained") };
  const reveal = () => assert.fail("nothing is revealed");
  const stores = { ...unused, index: new MemoryVersionIndex(), store: new MemoryModuleStore() };
  await runJob({ ...stores, fill, reveal, logBacklog: async () => void turns++ }, parseJob('{"kind":"backlog"}'));
  assert.equal(turns, 1);
});
