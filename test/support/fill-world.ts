import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { TestContext } from "node:test";
import { hashGoMod } from "../../lambda/golang/dirhash.ts";
import { FileFill } from "../../lambda/proxy/fill/file-fill.ts";
import type { Gate } from "../../lambda/proxy/intake/gate.ts";
import { Intake } from "../../lambda/proxy/intake/intake.ts";
import type { FileKind } from "../../lambda/proxy/store/layout.ts";
import { Leases } from "../../lambda/proxy/store/leases.ts";
import { ServedError } from "../../lambda/proxy/store/served-error.ts";
import { FolderTemporaryFiles } from "../../lambda/runtime/folder-temporary-files.ts";
import { countedCalls } from "./counted-calls.ts";
import { dataFolder } from "./data-folder.ts";
import { MemoryClaimStore, MemoryLeaseStore, MemoryModuleStore, MemoryVersionIndex } from "./memory-adapters.ts";
import { MemoryRecordLog } from "./memory-record-log.ts";
import { clockWith } from "./set-clock.ts";
import { type Fault, withFailpoints } from "./with-failpoints.ts";

/** What an upstream has of the one version; a zip is a text here that ends with its go.mod: `"zip bytes module m\n"`. */
export type Bodies = Readonly<Record<FileKind, string>>;

/** What processes share. */
export class SharedStores {
  readonly store = new MemoryModuleStore();
  readonly index = new MemoryVersionIndex();
  readonly leases = new MemoryLeaseStore();
  readonly claims = new MemoryClaimStore();
  readonly log = new MemoryRecordLog();
}

export interface FillWorldOptions {
  readonly plan?: readonly Fault[];
  readonly bodies: Bodies;
  readonly isPrivate?: boolean;
  /** No checksum database says anything of the version. */
  readonly isUnproved?: boolean;
  readonly shared?: SharedStores;
  readonly gate?: Gate;
}

/** The h1 that these tests' inspector finds in a zip: of its text. */
export function zipHash(zip: string | Uint8Array): string {
  return `h1:${createHash("sha256").update(zip).digest("base64")}`;
}

/** The fill of files over memory, for one version; notes which calls it makes, in their order. */
export function fillWorld(
  t: TestContext,
  { plan = [], bodies, isPrivate = false, isUnproved = false, shared, gate }: FillWorldOptions,
) {
  const calls: string[] = [];
  const stores = shared ?? new SharedStores();
  const clock = clockWith({ now: () => 1_000_000, sleep: () => new Promise((resolve) => setImmediate(resolve)) });
  const watched = <T extends object>(name: string, adapter: T) =>
    countedCalls(name, withFailpoints(adapter, plan), calls);
  const [store, index] = [watched("store", stores.store), watched("index", stores.index)];
  const claims = watched("claims", stores.claims);
  const log = watched("log", stores.log);
  let names = 0;
  let absent = false;
  const fill = new FileFill({
    store,
    index,
    intake: new Intake({ store, index, claims, clock, gate, ownLog: { log, reads: log } }),
    leases: new Leases(countedCalls("leases", stores.leases, calls), clock),
    source: {
      isPrivate: () => isPrivate,
      hasUpstream: () => true,
      fetch: async (_module, path, { consume }) => {
        const kind = path.replace(/.*\./, "") as FileKind;
        calls.push(`upstream ${kind}`);
        if (absent) throw new ServedError("not-found", "no such version");
        const body = Buffer.from(bodies[kind]);
        const chunks = (async function* () {
          yield body;
        })();
        return consume({ chunks, length: body.length });
      },
    },
    checksums: {
      kept: async () => undefined,
      hashes: async () =>
        isPrivate || isUnproved ? undefined : { zip: zipHash(bodies.zip), goMod: hashGoMod(goModIn(bodies.zip)) },
    },
    inspector: {
      prepare: () => {},
      inspect: async (_module, path) => {
        const zip = readFileSync(path, "utf8");
        return { hash: zipHash(zip), goMod: goModIn(zip) };
      },
    },
    temporaryFiles: new FolderTemporaryFiles(dataFolder(t), () => String(names++)),
    clock,
    notFoundSeconds: 60,
    budget: 900_000,
  });
  const lose = (value: boolean) => {
    absent = value;
  };
  return { fill, ...stores, calls, lose, take: () => calls.splice(0) };
}

function goModIn(zip: string): Uint8Array {
  return Buffer.from(zip.slice(zip.indexOf("module ")));
}
