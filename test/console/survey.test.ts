import assert from "node:assert/strict";
import { test } from "node:test";
import { surveyModules } from "../../lambda/console/survey.ts";
import { compareStrings } from "../../lambda/golang/encoding.ts";
import type { ModuleCatalogue } from "../../lambda/proxy/store/module-catalogue.ts";

/** A catalogue over memory that counts what it hands out. */
function catalogue(stored: Readonly<Record<string, readonly string[]>>) {
  const paths = Object.keys(stored).sort(compareStrings);
  const read = { modules: 0, versions: 0 };
  const of: ModuleCatalogue = {
    async modules(from, limit) {
      const found = paths.filter((path) => compareStrings(path, from) >= 0).slice(0, limit);
      read.modules += found.length;
      return found.map((module) => ({ module, versions: stored[module]?.length ?? 0 }));
    },
    async versions(module, limit) {
      const found = (stored[module] ?? []).slice(0, limit);
      read.versions += found.length;
      return found;
    },
  };
  return { of, read };
}

const all = { query: "", mayRead: () => true };
const limits = { named: 3, walked: 6, slice: 2, versions: 4 };

const few = {
  "example.com/a": ["v1.0.0"],
  "github.com/Azure/sdk": ["v1.9.0", "v1.10.0", "v1.10.0-rc.1", "v0.1.0"],
  "github.com/azure-corp/x": ["v2.0.0+incompatible"],
};

/** Ten modules that begin with `m`, and one far behind them. */
const many = {
  ...Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`m${i}.example/x`, ["v1.0.0", "v1.1.0"]])),
  "z.example/far": ["v1.0.0"],
};

test("a survey counts what is stored and names the newest versions", async () => {
  assert.deepEqual(await surveyModules(catalogue(few).of, all, limits), {
    modules: 3,
    versions: 6,
    matching: 3,
    named: [
      { module: "example.com/a", versions: 1, newest: ["v1.0.0"] },
      { module: "github.com/Azure/sdk", versions: 4, newest: ["v1.10.0", "v1.10.0-rc.1", "v1.9.0"] },
      { module: "github.com/azure-corp/x", versions: 1, newest: ["v2.0.0+incompatible"] },
    ],
    complete: true,
  });
});

test("a survey of nothing is nothing", async () => {
  const empty = { modules: 0, versions: 0, matching: 0, named: [], complete: true };
  assert.deepEqual(await surveyModules(catalogue({}).of, all, limits), empty);
});

test("queries find any part of a path, in any case, and the beginning of one wherever it is", async () => {
  const rows: readonly (readonly [stored: typeof few | typeof many, query: string, found: readonly string[]])[] = [
    [few, "AZURE", ["github.com/Azure/sdk", "github.com/azure-corp/x"]],
    [few, "nothing", []],
    [many, "far", []], // behind what is looked at
    [many, "z.ex", ["z.example/far"]],
    [many, "m7.example", ["m7.example/x"]],
    [many, "m", ["m0.example/x", "m1.example/x", "m2.example/x"]],
  ];
  for (const [stored, query, found] of rows) {
    const { named } = await surveyModules(catalogue(stored).of, { ...all, query }, limits);
    assert.deepEqual(
      named.map(({ module }) => module),
      found,
      query,
    );
  }
});

test("what may not be seen is neither named nor counted, and not found by its beginning either", async () => {
  const hidden = (query: string) => ({ query, mayRead: (module: string) => !/Azure|far/.test(module) });
  const seen = await surveyModules(catalogue(few).of, hidden(""), limits);
  assert.deepEqual([seen.modules, seen.versions, seen.named.length], [2, 2, 2]);
  assert.deepEqual((await surveyModules(catalogue(many).of, hidden("z.example"), limits)).named, []);
});

test("a survey costs no more than its limits, and says so", async () => {
  const { of, read } = catalogue({ ...many, "m0.example/x": ["v1.0.0", "v1.1.0", "v1.2.0", "v1.3.0", "v1.4.0"] });
  const { modules, complete, named } = await surveyModules(of, { ...all, query: "m" }, limits);
  assert.deepEqual([modules, complete, named.length], [6, false, 3]);
  assert.deepEqual(named[0], { module: "m0.example/x", versions: 5, newest: [] }, "too many to sort");
  assert.ok(read.modules <= limits.walked + limits.slice, `${read.modules} modules`);
  assert.equal(read.versions, 4);
});
