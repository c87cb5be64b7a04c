import assert from "node:assert/strict";
import { test } from "node:test";
import { preheatJobs } from "../../../lambda/proxy/upkeep/preheat.ts";

async function* each<T>(...items: readonly T[]): AsyncIterable<T> {
  yield* items;
}

/** The jobs as `"zip example.com/m v1.0.0"`, and the files that could not be read. */
async function preheat(parts: {
  readonly modules?: readonly string[];
  readonly files?: Readonly<Record<string, string | undefined>>;
  readonly known?: readonly string[];
  readonly refresh?: number;
}) {
  const unreadable: string[] = [];
  const files = Object.entries(parts.files ?? {}).map(([name, text]) => ({ name, text }));
  const jobs: string[] = [];
  for await (const job of preheatJobs({
    modules: parts.modules ?? [],
    files: () => each(...files),
    // The first came last.
    known: () => each(...(parts.known ?? []).map((path, i) => ({ path, newest: 1_000_000 - i }))),
    refresh: parts.refresh ?? 100,
    unreadable: (name) => void unreadable.push(name),
  }))
    jobs.push("module" in job ? `${job.kind} ${job.module.path} ${job.module.version}` : Object.values(job).join(" "));
  return { jobs, unreadable };
}

const goMod = `module example.com/main

go 1.25

require github.com/Azure/x v1.0.0
require (
	example.com/a v1.2.3 // indirect
	example.com/b v0.0.0-20240102030405-abcdefabcdef
)
`;
const goSum = `example.com/a v1.2.3 h1:abc=
example.com/a v1.2.3/go.mod h1:abc=
example.com/graph v1.0.0/go.mod h1:abc=

not a line
../evil v1.0.0 h1:abc=
example.com/wrong-major v2.0.0 h1:abc=
`;

test("what is named by hand comes first, then files, then news of what is stored, each once", async () => {
  const { jobs } = await preheat({
    modules: ["example.com/a@v1.2.3", "example.com/newest"],
    files: { "-/preheat/go.sum": goSum },
    known: ["example.com/newest", "example.com/a"],
  });
  assert.deepEqual(jobs, [
    "zip example.com/a v1.2.3",
    "refresh example.com/newest",
    "mod example.com/a v1.2.3",
    "mod example.com/graph v1.0.0",
    "refresh example.com/a",
  ]);
});

test("a go.mod is its requirements", async () => {
  const { jobs } = await preheat({ files: { "-/preheat/team/go.mod": goMod } });
  assert.deepEqual(jobs, [
    "zip github.com/Azure/x v1.0.0",
    "zip example.com/a v1.2.3",
    "zip example.com/b v0.0.0-20240102030405-abcdefabcdef",
  ]);
});

test("what cannot be a module, and a file that cannot be read, are told of and stop nothing", async () => {
  const { jobs, unreadable } = await preheat({
    modules: ["example.com/m@master", "../evil", "example.com/m@v2.0.0", "example.com/good"],
    files: { "-/preheat/go.sum": undefined },
    known: ["example.com/known"],
  });
  assert.deepEqual(jobs, ["refresh example.com/good", "refresh example.com/known"]);
  assert.deepEqual(unreadable, ["example.com/m@master", "../evil", "example.com/m@v2.0.0", "-/preheat/go.sum"]);
});

test("files that are neither are told of, and stop nothing", async () => {
  const files = { "-/preheat/README.md": "x", "-/preheat/go.mod": "require (", "-/preheat/x.go.sum": goSum };
  const { jobs, unreadable } = await preheat({ files });
  assert.deepEqual(unreadable, ["-/preheat/README.md", "-/preheat/go.mod"]);
  assert.equal(jobs[0], "zip example.com/a v1.2.3");
});

test("so many stored modules are asked for news as a run may, those with the newest versions first", async () => {
  const paths = Array.from({ length: 1_000 }, (_, i) => `example.com/m${i}`);
  const shuffled = paths.map((path, i) => [path, (i * 7919) % 1_000] as const);
  for (const refresh of [0, 1, 3, 250]) {
    const jobs: string[] = [];
    for await (const job of preheatJobs({
      modules: [],
      files: () => each(),
      known: () => each(...shuffled.map(([path, newest]) => ({ path, newest }))),
      refresh,
      unreadable: () => {},
    }))
      if (job.kind === "refresh") jobs.push(job.path);
    const newest = shuffled.toSorted(([, a], [, b]) => b - a).slice(0, refresh);
    assert.deepEqual(
      jobs,
      newest.map(([path]) => path),
    );
  }
});
