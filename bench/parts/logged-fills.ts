import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { hash1, hashGoMod } from "../../lambda/golang/dirhash.ts";
import { newVerifier } from "../../lambda/golang/note.ts";
import { composeLookup } from "../../lambda/golang/sumdb.ts";
import { parseTilePath } from "../../lambda/golang/tile.ts";
import { create } from "../../lambda/golang/zip.ts";
import { DirectoryModuleStore } from "../../lambda/local/data/directory-module-store.ts";
import { type IndexDatabase, indexFile, openIndexDatabase } from "../../lambda/local/data/index-database.ts";
import { openLogKey } from "../../lambda/local/data/log-key-file.ts";
import { type OpenedLog, openOwnLog } from "../../lambda/local/data/opened-log.ts";
import { SqliteClaimStore } from "../../lambda/local/data/sqlite-claim-store.ts";
import { SqliteLeaseStore } from "../../lambda/local/data/sqlite-lease-store.ts";
import { SqliteTreeHeadStore } from "../../lambda/local/data/sqlite-tree-head-store.ts";
import { SqliteVersionIndex } from "../../lambda/local/data/sqlite-version-index.ts";
import type { SumdbRemote } from "../../lambda/proxy/checksums/sumdb-reach.ts";
import { Fill } from "../../lambda/proxy/fill/fill.ts";
import type { Upstream } from "../../lambda/proxy/sources/upstream.ts";
import type { LogRecord } from "../../lambda/proxy/store/log-store.ts";
import { ServedError } from "../../lambda/proxy/store/served-error.ts";
import { DeferredLog } from "../../lambda/proxy/upkeep/deferred-log.ts";
import { FolderTemporaryFiles } from "../../lambda/runtime/folder-temporary-files.ts";
import { systemClock as clock } from "../../lambda/runtime/system-clock.ts";
import { temporaryName } from "../../lambda/runtime/temporary-files.ts";
import { WorkerZipInspector } from "../../lambda/runtime/worker-zip-inspector.ts";
import type { Bench } from "../part.ts";

// What our own log adds to a fill: the fill plane on the disk of the folder, with and without it, in front of an upstream
// and a checksum database in memory. Private versions wait for their record, public ones do not.

/** Fills of each kind, one after the other, in each round. */
const fills = 40;

interface Module {
  readonly path: string;
  readonly version: string;
  readonly mod: Buffer;
  readonly zip: Buffer;
  /** `"h1:…"` of the zip. */
  readonly hash: string;
}

/** Measures both kinds of fill, with the log and without, in turns. */
export async function measureLoggedFills(bench: Bench): Promise<void> {
  const folder = join(bench.folder, "logged-fills");
  const theirs = await openData(join(folder, "database"));
  for (let round = 0; round < bench.rounds; round++)
    for (const kind of ["private", "public"] as const)
      for (const target of ["without the log", "with the log"]) {
        const name = `${kind}-${target.replaceAll(" ", "-")}-${round}`;
        const modules = await Promise.all(
          Array.from({ length: fills }, (_, i) => moduleOf(`${kind}.example/${name}/m${i}`)),
        );
        if (kind === "public") await theirs.log.log.append(modules.map(recordOf));
        const data = await openData(join(folder, name));
        const times = await fillAll(data, modules, { database: theirs.log, isLogged: target === "with the log" });
        bench.add(`one ${kind} zip in memory, verified and stored`, target, { "p50, ms": times[fills >> 1] ?? 0 });
      }
  theirs.database.close();
}

interface Data {
  readonly folder: string;
  readonly store: DirectoryModuleStore;
  readonly database: IndexDatabase;
  readonly log: OpenedLog;
}

async function openData(folder: string): Promise<Data> {
  mkdirSync(folder, { recursive: true });
  const store = await DirectoryModuleStore.open(folder, 0);
  const database = openIndexDatabase(join(folder, indexFile));
  const key = await openLogKey(folder);
  return { folder, store, database, log: openOwnLog({ database, files: store, key, name: undefined, clock }) };
}

/** Fills the zip of each; milliseconds, sorted. */
async function fillAll(
  { folder, store, database, log }: Data,
  modules: readonly Module[],
  { database: theirs, isLogged }: { readonly database: OpenedLog; readonly isLogged: boolean },
): Promise<readonly number[]> {
  const deferred = new DeferredLog({ log: log.log, clock, failed: (error) => Promise.reject(error) });
  const step = { upstream: upstreamOf(modules), onAnyError: false };
  const fill = new Fill({
    store,
    index: new SqliteVersionIndex(database),
    claims: new SqliteClaimStore(database),
    leases: new SqliteLeaseStore(database),
    heads: new SqliteTreeHeadStore(database),
    router: { isPrivate: (path) => path.startsWith("private."), chainFor: () => ({ steps: [step], end: "nothing" }) },
    sumdb: { verifier: newVerifier(theirs.verifierKey), remote: remoteOf(theirs) },
    ownLog: isLogged ? { name: log.name, log: deferred, reads: log.reads } : undefined,
    inspector: new WorkerZipInspector(new URL("../../lambda/runtime/zip-worker.ts", import.meta.url)),
    temporaryFiles: new FolderTemporaryFiles(join(folder, "tmp"), temporaryName),
    clock,
    ttl: { list: 60, query: 60, notFound: 60 },
    policy: { allow: [], deny: [] },
    timeouts: { total: 900 },
  });
  const times: number[] = [];
  for (const module of modules) {
    const started = performance.now();
    await fill.fill({ kind: "zip", module: { path: module.path, version: module.version } });
    times.push(performance.now() - started);
  }
  await deferred.stop();
  database.close();
  return times.sort((a, b) => a - b);
}

async function moduleOf(path: string): Promise<Module> {
  const version = "v1.0.0";
  const mod = Buffer.from(`module ${path}\n`);
  const noise = Array.from({ length: 1000 }, (_, i) => createHash("sha256").update(`${path}${i}`).digest());
  const contents = new Map([
    ["go.mod", mod],
    ["noise.bin", Buffer.concat(noise)],
  ]);
  const files = [...contents].map(([name, content]) => ({
    path: name,
    lstat: () => ({ size: content.length, isFile: () => true, isDirectory: () => false, isSymbolicLink: () => false }),
    open: async () => Readable.from([content]),
  }));
  const prefix = `${path}@${version}/`;
  const names = [...contents.keys()].map((name) => prefix + name);
  const hash = await hash1(names, (name) => contents.get(name.slice(prefix.length)) ?? Buffer.alloc(0));
  return { path, version, mod, hash, zip: await buffer(await create({ path, version }, files)) };
}

function recordOf({ path, version, mod, hash }: Module): LogRecord {
  return { module: { path, version }, zip: hash, goMod: hashGoMod(mod), proof: undefined };
}

function upstreamOf(modules: readonly Module[]): Upstream {
  const bodies = new Map<string, Buffer>();
  for (const { path, version, mod, zip } of modules) {
    const info = Buffer.from(JSON.stringify({ Version: version, Time: "2024-01-02T03:04:05Z" }));
    for (const [kind, body] of Object.entries({ info, mod, zip })) bodies.set(`/${path}/@v/${version}.${kind}`, body);
  }
  return {
    name: "memory",
    get: async (path) => {
      const body = bodies.get(path);
      if (body === undefined) throw new Error(`nobody should ask for ${path}`);
      return { chunks: Readable.from([body]), length: body.length };
    },
  };
}

/** Another log of ours as the database of public modules. */
function remoteOf({ reads }: OpenedLog): SumdbRemote {
  return {
    get: async (path) => {
      const [, module, version] = /^\/lookup\/(.+)@(.+)$/.exec(path) ?? [];
      if (module !== undefined && version !== undefined) {
        const found = await reads.lookup({ path: module, version });
        if (found !== undefined)
          return composeLookup({ id: found.number, record: found.text }, { signedNote: found.head.note });
      } else if (path === "/latest") return (await reads.head())?.note ?? new Uint8Array();
      else {
        const tile = await reads.tile(parseTilePath(path.slice(1)));
        if (tile !== undefined) return tile;
      }
      throw new ServedError("not-found", `there is no ${path}`);
    },
  };
}
