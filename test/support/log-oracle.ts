import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { unescapePath, unescapeVersion } from "../../lambda/golang/module.ts";
import { composeLookup } from "../../lambda/golang/sumdb.ts";
import { parseTilePath } from "../../lambda/golang/tile.ts";
import { transact } from "../../lambda/local/data/sqlite-schema.ts";
import { appended, emptyFrontier, treeOf } from "../../lambda/proxy/log/growing-tree.ts";
import { OwnLogReads } from "../../lambda/proxy/log/own-log-reads.ts";
import { recordText } from "../../lambda/proxy/log/record-text.ts";
import type { RecordReads } from "../../lambda/proxy/store/record-log.ts";
import { systemClock } from "../../lambda/runtime/system-clock.ts";
import { countedCalls } from "./counted-calls.ts";
import type { openLocalLog } from "./local-log.ts";
import { recordOf } from "./log-records.ts";
import { MemoryModuleStore } from "./memory-adapters.ts";
import { askXmod } from "./xmod.ts";

// x/mod's own client and tlog over logs of any size, whose rows are made directly: appending a million takes an hour.

type LocalLog = Awaited<ReturnType<typeof openLocalLog>>;

/** Grows an empty log to each of these sizes, without appending, and signs it there; the heads. */
export async function makeLog(
  { log, database }: Pick<LocalLog, "database"> & { readonly log: Pick<LocalLog["log"], "sign"> },
  sizes: readonly number[],
): Promise<readonly Uint8Array[]> {
  const { durable } = database;
  const addRow = durable.prepare("INSERT INTO log_row (level, number, hashes, text) VALUES (?, ?, ?, ?)");
  const addNumber = durable.prepare("INSERT INTO log_number (module, version, number) VALUES (?, ?, ?)");
  const setHead = durable.prepare("INSERT OR REPLACE INTO log_head VALUES (1, 1, 'primary', 'solo', ?, ?)");
  let frontier = emptyFrontier;
  const heads: Uint8Array[] = [];
  for (const size of sizes) {
    transact(durable, () => {
      for (let i = Number(frontier.size); i < size; i++) {
        const record = recordOf(i);
        const next = appended(frontier, { text: recordText(record), proof: undefined });
        for (const { level, number, hashes, text } of next.rows)
          addRow.run(level, number, Buffer.concat(hashes), text ?? null);
        addNumber.run(record.module.path, record.module.version, i);
        frontier = next.frontier;
      }
      setHead.run(frontier.size, treeOf(frontier).hash);
    });
    heads.push((await log.sign()).note);
  }
  return heads;
}

/** Serves a log with the paths of x/mod's sumdb.Server; counts what it is asked. */
export async function serveLog(t: TestContext, reads: RecordReads) {
  const asked = { requests: 0 };
  const answer = async (path: string): Promise<Uint8Array | undefined> => {
    if (path.startsWith("/tile/")) return await reads.tile(parseTilePath(path.slice(1)));
    const [, escapedPath = "", escapedVersion = ""] = /^\/lookup\/([^@]+)@([^@]+)$/.exec(path) ?? [];
    const module = { path: unescapePath(escapedPath), version: unescapeVersion(escapedVersion) };
    const found = await reads.lookup(module);
    return found && composeLookup({ id: found.number, record: found.text }, { signedNote: found.head.note });
  };
  const server = createServer((request, response) => {
    asked.requests++;
    answer(request.url ?? "").then(
      (body) => response.writeHead(body === undefined ? 404 : 200).end(body),
      (error) => response.writeHead(500).end(String(error)),
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** Has x/mod look up records of the log by their numbers, audit the whole of it, and says how long that took. */
export async function holdAgainstXmod(
  t: TestContext,
  parts: LocalLog,
  { sizes, lookups }: { readonly sizes: readonly number[]; readonly lookups: readonly number[] },
): Promise<void> {
  const size = sizes.at(-1) ?? 0;
  const started = performance.now();
  const heads = await makeLog(parts, sizes);
  const made = performance.now();
  const { url, asked } = await serveLog(t, parts.reads);
  const { verifierKey: vkey } = parts.signer;
  const modules = lookups.map((i) => recordOf(i).module).map(({ path, version }) => `${path}@${version}`);
  const [found] = await askXmod([{ fn: "sumdb.remote", args: [url, vkey, ...modules] }]);
  const lines = lookups.map((i) => recordText(recordOf(i)).toString().split("\n").slice(0, 1));
  assert.deepEqual(found, { ok: lines });
  const looked = { at: performance.now(), requests: asked.requests };
  const [audit] = await askXmod([
    { fn: "log.audit", args: [url, vkey, ...heads.map((head) => Buffer.from(head).toString("base64"))] },
  ]);
  const pairs = (sizes.length * (sizes.length + 1)) / 2;
  const hashTiles = countTiles(size);
  assert.deepEqual(audit, { ok: { pairs, hashTiles, records: size } });
  const seconds = (from: number, to: number) => ((to - from) / 1000).toFixed(1);
  const reads = await readsOf(parts, size);
  t.diagnostic(`in a log of ${size} ${reads}`);
  t.diagnostic(
    `${size} records: made and signed at ${sizes.length} sizes in ${seconds(started, made)} s; ` +
      `${lookups.length} lookups in ${seconds(made, looked.at)} s, ${looked.requests} requests; ` +
      `${pairs} pairs of heads, ${hashTiles} tiles and ${size} records in ${seconds(looked.at, performance.now())} s, ` +
      `${asked.requests - looked.requests} requests`,
  );
}

/** What the last lookup and tiles of the log read of its table. */
async function readsOf({ store, heads, signer }: LocalLog, size: number): Promise<string> {
  const said: string[] = [];
  const last = BigInt(size - 1);
  const n = last >> 8n;
  const w = Number(last & 255n) + 1;
  for (const [what, read] of [
    ["a lookup", (reads: RecordReads) => reads.lookup(recordOf(size - 1).module)],
    ["the last tile", (reads: RecordReads) => reads.tile({ h: 8, l: 0, n, w })],
    ["the last records", (reads: RecordReads) => reads.tile({ h: 8, l: -1, n, w })],
    ["the first tile", (reads: RecordReads) => reads.tile({ h: 8, l: 0, n: 0n, w: Math.min(size, 256) })],
  ] as const) {
    const calls: string[] = [];
    const counted = countedCalls("log", store, calls);
    const { verifierKey } = signer;
    const files = new MemoryModuleStore();
    const reads = new OwnLogReads({ store: counted, heads, files, verifierKey, clock: systemClock });
    const started = performance.now();
    assert.ok(await read(reads));
    const milliseconds = (performance.now() - started).toFixed(1);
    said.push(`${what} reads ${calls.length} times, ${milliseconds} ms`);
  }
  return said.join("; ");
}

function countTiles(size: number): number {
  let tiles = 0;
  for (let width = size; width > 0; width = Math.floor(width / 256)) tiles += Math.ceil(width / 256);
  return tiles;
}
