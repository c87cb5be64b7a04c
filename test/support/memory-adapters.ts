import { readFile, writeFile } from "node:fs/promises";
import { checkKey } from "../../lambda/local/data/directory-module-store.ts";
import type { Claim, ClaimStore } from "../../lambda/proxy/store/claim-store.ts";
import type { ModuleVersion, ObjectPolicy } from "../../lambda/proxy/store/layout.ts";
import type { LeaseState, LeaseStore, SharedFailure } from "../../lambda/proxy/store/lease-store.ts";
import type { FileSource, ModuleStore } from "../../lambda/proxy/store/module-store.ts";
import { ServedError } from "../../lambda/proxy/store/served-error.ts";
import type { TreeHeadStore } from "../../lambda/proxy/store/tree-head-store.ts";
import { knownFacts, type VersionFacts } from "../../lambda/proxy/store/version-facts.ts";
import type {
  MemoryName,
  ModuleEntry,
  Remembered,
  VersionFlag,
  VersionIndex,
  VersionRow,
} from "../../lambda/proxy/store/version-index.ts";

// The storage interfaces over memory. They police their callers: what a real adapter would let pass today and
// regret later (a key that is none, a version that is none, a lease that ends before it begins) throws here.

/** Answers later, as anything behind a wire does: code that forgot an `await` is found out. */
async function elsewhere(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

function insist(condition: boolean, what: string): void {
  if (!condition) throw new Error(`broken contract: ${what}`);
}

export class MemoryModuleStore implements ModuleStore {
  /** What is stored, for assertions. */
  readonly files = new Map<string, Uint8Array>();
  readonly policies = new Map<string, ObjectPolicy>();

  async read(key: string): Promise<Uint8Array | undefined> {
    checkKey(key);
    await elsewhere();
    const bytes = this.files.get(key);
    if (bytes !== undefined && bytes.length > 16 << 20) throw new ServedError("store-failed", "too large to be read");
    return bytes?.slice();
  }

  async size(key: string): Promise<number | undefined> {
    checkKey(key);
    await elsewhere();
    return this.files.get(key)?.length;
  }

  async copy(key: string, path: string): Promise<number | undefined> {
    checkKey(key);
    await elsewhere();
    const bytes = this.files.get(key);
    if (bytes !== undefined) await writeFile(path, bytes);
    return bytes?.length;
  }

  async create(key: string, source: FileSource, policy: ObjectPolicy): Promise<boolean> {
    checkKey(key);
    insist(policy.contentType !== "" && policy.cacheControl !== "", `${key} has no policy`);
    const bytes = await bytesOf(source);
    await elsewhere();
    if (this.files.has(key)) return false;
    this.files.set(key, bytes);
    this.policies.set(key, policy);
    return true;
  }

  async remove(key: string): Promise<void> {
    checkKey(key);
    await elsewhere();
    this.files.delete(key);
    this.policies.delete(key);
  }

  async *keys(prefix: string): AsyncIterable<string> {
    await elsewhere();
    for (const key of this.files.keys()) if (key.startsWith(prefix)) yield key;
  }
}

async function bytesOf(source: FileSource): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return new Uint8Array(source);
  try {
    return new Uint8Array(await readFile(source.path));
  } catch (cause) {
    throw new ServedError("store-failed", "the source of a file cannot be read", { cause });
  }
}

export class MemoryVersionIndex implements VersionIndex {
  /** By module path, then by version. */
  readonly versions = new Map<string, Map<string, VersionRow>>();
  readonly known = new Map<string, VersionFacts>();
  /** By module path, then by name. */
  readonly memories = new Map<string, Map<MemoryName, Remembered>>();

  async module(path: string): Promise<ModuleEntry> {
    await elsewhere();
    const memories = this.memories.get(path);
    return {
      versions: [...(this.versions.get(path)?.values() ?? [])],
      list: memories?.get("list"),
      latest: memories?.get("latest"),
    };
  }

  async addVersion(path: string, version: string, now: number, facts: VersionFacts): Promise<void> {
    insist(!path.includes("!") && !path.includes("@"), `${path} is not an unescaped module path`);
    insist(/^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+incompatible)?$/.test(version), `${version} is not canonical`);
    insist(Number.isSafeInteger(now) && now >= 0, "now is not in milliseconds");
    for (const hash of [facts.zipHash, facts.goModHash]) insist(hash?.startsWith("h1:") ?? true, `${hash} is no h1`);
    const given = structuredClone(knownFacts(facts));
    await elsewhere();
    const name = `${path}@${version}`;
    if (given !== undefined) this.known.set(name, { ...given, ...this.known.get(name) });
    const rows = this.versions.get(path) ?? new Map<string, VersionRow>();
    const { firstSeen = now, flags = [] } = rows.get(version) ?? {};
    const isPublished = facts.origin === "published" || flags.includes("published");
    const others = flags.filter((flag) => flag !== "published");
    rows.set(version, { version, firstSeen, flags: isPublished ? [...others, "published"] : others });
    this.versions.set(path, rows);
  }

  async facts(path: string, version: string): Promise<VersionFacts | undefined> {
    await elsewhere();
    return structuredClone(this.known.get(`${path}@${version}`));
  }

  async setFlag(path: string, version: string, flag: VersionFlag, on: boolean): Promise<boolean> {
    await elsewhere();
    const row = this.versions.get(path)?.get(version);
    if (row === undefined) return false;
    const others = row.flags.filter((each) => each !== flag);
    this.versions.get(path)?.set(version, { ...row, flags: on ? [...others, flag] : others });
    return true;
  }

  async removeVersion(path: string, version: string): Promise<void> {
    await elsewhere();
    this.versions.get(path)?.delete(version);
    this.known.delete(`${path}@${version}`);
  }

  async recall(path: string, name: MemoryName): Promise<Remembered | undefined> {
    await elsewhere();
    return this.memories.get(path)?.get(name);
  }

  async remember(path: string, name: MemoryName, memory: Remembered): Promise<void> {
    insist(/^(list$|latest$|query |missing )/.test(name), `${name} is no name of a memory`);
    insist(Number.isSafeInteger(memory.freshUntil), "freshUntil is not in milliseconds");
    const kept = Object.freeze({ text: memory.text, freshUntil: memory.freshUntil });
    await elsewhere();
    this.memories.set(path, (this.memories.get(path) ?? new Map<MemoryName, Remembered>()).set(name, kept));
  }
}

const untaken: LeaseState = { fence: 0, heldUntil: 0, failure: undefined };

export class MemoryLeaseStore implements LeaseStore {
  readonly leases = new Map<string, LeaseState>();
  #last = 0;

  async acquire(name: string, now: number, heldUntil: number): Promise<LeaseState | undefined> {
    insist(heldUntil > now, "a lease ends before it begins");
    await elsewhere();
    const before = this.leases.get(name) ?? untaken;
    if (before.heldUntil > now) return undefined;
    return this.#set(name, { fence: ++this.#last, heldUntil, failure: undefined });
  }

  async renew(name: string, fence: number, heldUntil: number): Promise<boolean> {
    insist(heldUntil > 0, "a lease is prolonged until the beginning of time");
    await elsewhere();
    if (!this.#isHeld(name, fence)) return false;
    this.#set(name, { fence, heldUntil, failure: undefined });
    return true;
  }

  async release(name: string, fence: number, failure: SharedFailure | undefined): Promise<void> {
    await elsewhere();
    if (!this.#isHeld(name, fence)) return;
    if (failure === undefined) this.leases.delete(name);
    else this.#set(name, { fence, heldUntil: 0, failure: { code: failure.code, message: failure.message } });
  }

  async read(name: string): Promise<LeaseState> {
    await elsewhere();
    return this.leases.get(name) ?? untaken;
  }

  #isHeld(name: string, fence: number): boolean {
    const state = this.leases.get(name) ?? untaken;
    return state.fence === fence && state.heldUntil > 0;
  }

  #set(name: string, state: LeaseState): LeaseState {
    this.leases.set(name, Object.freeze(state));
    return state;
  }
}

export class MemoryTreeHeadStore implements TreeHeadStore {
  readonly heads = new Map<string, Uint8Array>();

  async read(name: string): Promise<Uint8Array | undefined> {
    await elsewhere();
    return this.heads.get(name)?.slice();
  }

  async replace(name: string, old: Uint8Array | undefined, next: Uint8Array): Promise<boolean> {
    insist(next.length > 0, "a head is replaced by nothing");
    const kept = new Uint8Array(next);
    await elsewhere();
    const present = this.heads.get(name);
    if (old === undefined ? present !== undefined : present === undefined || Buffer.compare(present, old) !== 0) {
      return false;
    }
    this.heads.set(name, kept);
    return true;
  }
}

export class MemoryClaimStore implements ClaimStore {
  /** By `path@version`. */
  readonly claims = new Map<string, Claim>();

  async claim({ path, version }: ModuleVersion, { zip, goMod, info }: Claim): Promise<Claim> {
    for (const hash of [zip, goMod]) insist(hash.startsWith("h1:"), `${hash} is no h1`);
    insist(/^[0-9a-f]{64}$/.test(info), `${info} is no SHA-256 in hex`);
    await elsewhere();
    const name = `${path}@${version}`;
    const standing = this.claims.get(name) ?? Object.freeze({ zip, goMod, info });
    this.claims.set(name, standing);
    return standing;
  }

  async read({ path, version }: ModuleVersion): Promise<Claim | undefined> {
    await elsewhere();
    return this.claims.get(`${path}@${version}`);
  }
}
