import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { indexFile, openIndexDatabase } from "../../lambda/local/data/index-database.ts";
import { transact } from "../../lambda/local/data/sqlite-schema.ts";
import { SqliteVersionIndex } from "../../lambda/local/data/sqlite-version-index.ts";
import { parsePath } from "../../lambda/proxy/serve/received-path.ts";
import { serveIndex } from "../../lambda/proxy/serve/serve.ts";
import type { Bench } from "../part.ts";
import { median } from "../report.ts";

// list and latest out of the index: of a module with many versions, and of one among many modules.

const versions = 10_000;
const modules = 1_000_000;
const asked = 200;
const wide = "example.com/wide";

export async function measureIndex(bench: Bench): Promise<void> {
  const folder = join(bench.folder, "index");
  mkdirSync(folder, { recursive: true });
  const database = openIndexDatabase(join(folder, indexFile));
  try {
    const index = new SqliteVersionIndex(database);
    await fillIndex(database.durable, index);
    for (let round = 0; round < bench.rounds; round++) {
      for (const [row, path] of [
        [`a module with ${versions} versions`, wide],
        [`one of ${modules} modules`, `example.com/m${modules >> 1}`],
      ] as const) {
        const list = await measure(index, `/${path}/@v/list`);
        const latest = await measure(index, `/${path}/@latest`);
        bench.add(row, "modfront", { "list, p50 ms": list, "latest, p50 ms": latest });
      }
    }
  } finally {
    database.close();
  }
}

async function fillIndex(database: ReturnType<typeof openIndexDatabase>["durable"], index: SqliteVersionIndex) {
  const insert = database.prepare("INSERT INTO version (module, version, first_seen) VALUES (?, ?, 1732700000000)");
  const list = Array.from({ length: versions }, (_, i) => `v1.${i}.0`);
  transact(database, () => {
    for (let i = 0; i < modules; i++) insert.run(`example.com/m${i}`, "v1.0.0");
    for (const version of list) insert.run(wide, version);
  });
  for (const [path, text] of [
    [wide, list.map((version) => `${version}\n`).join("")],
    [`example.com/m${modules >> 1}`, "v1.0.0\n"],
  ] as const) {
    await index.remember(path, "list", { text, freshUntil: 1 });
    await index.remember(path, "latest", { text: '{"Version":"v1.0.0"}', freshUntil: 1 });
  }
}

/** The median of the milliseconds that an answer takes, with nothing kept ready. */
async function measure(index: SqliteVersionIndex, target: string): Promise<number> {
  const fill = { fill: () => Promise.reject(new Error("the index had no fresh answer")) };
  const clock = { now: () => 0, sleep: async () => {} };
  const parts = { index, fill, clock, isPrivate: () => false };
  const routed = parsePath(target);
  const times: number[] = [];
  for (let i = 0; i < asked; i++) {
    const started = performance.now();
    await serveIndex(parts, routed);
    times.push(performance.now() - started);
  }
  return median(times);
}
