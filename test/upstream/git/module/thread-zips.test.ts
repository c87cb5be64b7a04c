import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { Worker } from "node:worker_threads";
import { hash1 } from "../../../../lambda/golang/dirhash.ts";
import { inspectZip } from "../../../../lambda/golang/inspect-zip.ts";
import type { ZipResult } from "../../../../lambda/upstream/git/module/module-zip.ts";
import { ThreadZips } from "../../../../lambda/upstream/git/module/thread-zips.ts";
import { gitLimits } from "../../../../lambda/upstream/git/pack/git-limits.ts";
import { indexPack } from "../../../../lambda/upstream/git/pack/index-pack.ts";
import { type FileSpec, GitObjects, packOf } from "../../../support/git-objects.ts";

const module = { path: "corp.example/r", version: "v1.0.0" };

function threads(t: TestContext): ThreadZips {
  const zips = new ThreadZips(new URL("../../../../lambda/upstream/git/module/zip-thread.ts", import.meta.url));
  t.after(() => zips.close());
  return zips;
}

/** A job over a packfile with these files in it, of which some may be left out. */
async function jobFor(files: Readonly<Record<string, FileSpec>>, isSent: (data: Buffer) => boolean = () => true) {
  const folder = mkdtempSync(join(tmpdir(), "modfront-zips-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const objects = new GitObjects();
  const tree = objects.tree(files);
  const path = join(folder, "pack");
  writeFileSync(path, packOf([...objects.stored.values()].filter(({ data }) => isSent(data))));
  const index = await indexPack(path, { format: "sha1", limits: gitLimits });
  const place = { objectFormat: "sha1", tree, packs: [{ path, index }] } as const;
  return { module, place, directory: "", output: join(folder, "zip"), limits: gitLimits };
}

test("a zip is made in a thread, with its files converted", async (t) => {
  const zips = threads(t);
  const job = await jobFor({
    "go.mod": "module corp.example/r\n",
    "a.txt": "a\n",
    ".gitattributes": "*.txt eol=crlf\n",
  });
  const result = await zips.make(job);
  assert.deepEqual(result, { kind: "done", size: readFileSync(job.output).length });
  const { hash, checked } = await inspectZip(module, job.output);
  const names = [".gitattributes", "a.txt", "go.mod"].map((name) => `corp.example/r@v1.0.0/${name}`);
  assert.deepEqual([...checked.valid].sort(), names);
  const contents = ["*.txt eol=crlf\n", "a\r\n", "module corp.example/r\n"];
  const content = (name: string) => [Buffer.from(contents[names.indexOf(name)] ?? "")];
  assert.equal(hash, await hash1(names, content));
});

test("files that make no zip are refused, and leave no file", async (t) => {
  const job = await jobFor({ "go.mod": "module corp.example/r\n", "a.txt": "", "A.txt": "" });
  const result = await threads(t).make(job);
  assert.ok(result.kind === "refused" && /equal but for case/.test(result.why), JSON.stringify(result));
  assert.equal(existsSync(job.output), false);
});

test("objects that are not there are a failure of theirs", async (t) => {
  const job = await jobFor({ "go.mod": "module corp.example/r\n" });
  const result = await threads(t).make({ ...job, place: { ...job.place, packs: [] } });
  assert.deepEqual(result, { kind: "failed", why: "did not send an object that others name" });
  assert.equal(existsSync(job.output), false);
});

test("a file that is not there when it is written leaves no half of a zip", async (t) => {
  const job = await jobFor(
    { "go.mod": "module corp.example/r\n", "z.txt": "gone\n" },
    (data) => !data.equals(Buffer.from("gone\n")),
  );
  const result = await threads(t).make(job);
  assert.equal(result.kind, "failed");
  assert.equal(existsSync(job.output), false);
});

test("a zip that nobody waits for any more ends, and the next one is made", async (t) => {
  const zips = threads(t);
  const large = await jobFor({
    "go.mod": "module corp.example/r\n",
    "large.bin": Buffer.alloc(64 << 20, "0123456789"),
  });
  const leaving = new AbortController();
  const left = zips.make(large, leaving.signal);
  setImmediate(() => leaving.abort(new Error("gone")));
  await assert.rejects(left, { message: "gone" });
  const small = await jobFor({ "go.mod": "module corp.example/r\n" });
  assert.equal((await zips.make(small)).kind, "done");
});

test("more zips than threads wait for their turn", async (t) => {
  const zips = threads(t);
  const jobs = await Promise.all(
    Array.from({ length: 5 }, (_, i) => jobFor({ "go.mod": "module corp.example/r\n", [`${i}`]: "" })),
  );
  const results = await Promise.all(jobs.map((job) => zips.make(job)));
  assert.deepEqual(
    results.map(({ kind }) => kind),
    ["done", "done", "done", "done", "done"],
  );
});

test("a zip of very many files takes little memory for each", async (t) => {
  const names = Array.from({ length: 50_000 }, (_, i) => [
    `d${i % 97}/a-file-of-${i}.go`,
    `package p // ${i % 1000}\n`,
  ]);
  const job = await jobFor({ "go.mod": "module corp.example/r\n", ...Object.fromEntries(names) });
  const script = new URL("../../../../lambda/upstream/git/module/zip-thread.ts", import.meta.url);
  // An object for each file, of which one holds on to all, takes more than 40 MB.
  const worker = new Worker(script, { resourceLimits: { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 36 } });
  t.after(() => worker.terminate());
  worker.postMessage(job);
  const [result] = (await once(worker, "message")) as [ZipResult];
  assert.equal(result.kind, "done");
});

/** What would be one allocation of 15 MB and more, beyond what is given to a heap that is full: the process would end with it. */
const largeFiles: readonly (readonly [what: string, heap: number, files: Readonly<Record<string, FileSpec>>])[] = [
  ["in UTF-16", 24, { ".gitattributes": "*.u working-tree-encoding=UTF-16\n", "a.u": Buffer.alloc(15 << 20, "abc") }],
  ["a go.mod of one line", 24, { "go.mod": Buffer.alloc(15 << 20, "( ") }],
  ["a go.mod of requirements", 24, { "go.mod": Buffer.alloc(15 << 20, "require a v1\n") }],
  ["a go.mod of comments", 64, { "go.mod": Buffer.alloc(15 << 20, "//\n") }],
];

for (const [what, heap, files] of largeFiles) {
  test(`a large file takes no large part of a heap: ${what}`, async (t) => {
    const script = new URL("../../../../lambda/upstream/git/module/zip-thread.ts", import.meta.url);
    const limits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: heap };
    const worker = new Worker(script, { resourceLimits: limits });
    t.after(() => worker.terminate());
    worker.postMessage(await jobFor(files));
    const [result] = (await once(worker, "message")) as [ZipResult];
    assert.equal(result.kind, "done");
  });
}

/** A thread that says who it is and what heap it may have. */
const nameless = `
  import { parentPort, resourceLimits, threadId } from "node:worker_threads";
  const why = threadId + " " + resourceLimits.maxOldGenerationSizeMb;
  parentPort.on("message", () => parentPort.postMessage({ kind: "failed", why }));`;

test("a thread has a heap for the objects of its job, and a large one is not kept", async (t) => {
  const zips = new ThreadZips(new URL(`data:text/javascript,${encodeURIComponent(nameless)}`));
  t.after(() => zips.close());
  const of = async (objects: number) => {
    const index = { ids: new Uint8Array(), offsets: new Float64Array(), sizes: new Float64Array() };
    const packs = [{ path: "", index: { ...index, types: new Uint8Array(objects) } }];
    const place = { objectFormat: "sha1", tree: "", packs } as const;
    const result = await zips.make({ module, place, directory: "", output: "", limits: gitLimits });
    return (result.kind === "failed" ? result.why : "").split(" ").map(Number);
  };
  const [first, firstHeap] = await of(51_000);
  const [kept, heap] = await of(3);
  assert.deepEqual([kept === first, firstHeap, heap], [false, 214, 128]);
  assert.deepEqual(await of(20_000), [kept, 128]);
  const [large, largeHeap] = await of(51_000);
  assert.deepEqual([large === kept, largeHeap], [false, 214]);
  const [next, mostHeap] = await of(2_000_000);
  assert.deepEqual([next === kept, next === large, mostHeap], [false, false, 512]);
  assert.deepEqual(await of(3), [kept, 128]);
});
