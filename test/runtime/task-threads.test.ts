import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { TaskThreads, ThreadEnded, ThreadsClosed } from "../../lambda/runtime/task-threads.ts";

// A task is what the thread does with it; it answers with its own number.
const script = `
  import { parentPort, threadId } from "node:worker_threads";
  parentPort.on("message", (task) => {
    if (task === "end") process.exit(1);
    if (task === "fill") for (const all = []; ; ) all.push(new Array(100_000).fill(0));
    if (task === "spin") for (;;);
    parentPort.postMessage(threadId);
  });
`;

function threads(t: TestContext): TaskThreads<string, number> {
  const made = new TaskThreads<string, number>(new URL(`data:text/javascript,${encodeURIComponent(script)}`), {
    heap: 64,
    most: 2,
  });
  t.after(() => made.close());
  return made;
}

const keeps = () => true;
const signal = new AbortController().signal;

test("a thread is kept for the next task, but not where a task was large", async (t) => {
  const made = threads(t);
  const first = await made.run("answer", { signal, keeps });
  assert.equal(await made.run("answer", { signal, keeps: (answer) => answer !== first }), first);
  const second = await made.run("answer", { signal, keeps });
  assert.notEqual(second, first);
  assert.notEqual(await made.run("answer", { signal, keeps, heap: 128 }), second);
  assert.equal(await made.run("answer", { signal, keeps }), second);
});

test("a thread that was prepared is the next task's, and there is one", async (t) => {
  const made = threads(t);
  const first = await made.run("answer", { signal, keeps: () => false });
  made.prepare();
  made.prepare();
  assert.equal(await made.run("answer", { signal, keeps, heap: 128 }), first + 2);
  assert.equal(await made.run("answer", { signal, keeps }), first + 1);
  assert.equal(await made.run("answer", { signal, keeps }), first + 1);
});

for (const task of ["end", "fill"]) {
  test(`who waits for a thread that comes to its end hears of it: ${task}`, async (t) => {
    const made = threads(t);
    await assert.rejects(made.run(task, { signal, keeps }), ThreadEnded);
    assert.ok((await made.run("answer", { signal, keeps })) > 0);
  });
}

test("a task that is aborted ends with its thread, and leaves its place", async (t) => {
  const made = threads(t);
  for (let i = 0; i < 3; i++) {
    const leaving = new AbortController();
    const running = made.run("spin", { signal: leaving.signal, keeps });
    leaving.abort(new Error("left"));
    await assert.rejects(running, /left/);
  }
  assert.ok((await made.run("answer", { signal, keeps })) > 0);
});

test("nothing is begun any more after close", async (t) => {
  const made = threads(t);
  await made.close();
  await assert.rejects(made.run("answer", { signal, keeps }), ThreadsClosed);
});
