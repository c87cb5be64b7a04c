import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { maxGoMod, maxZipFile } from "../../lambda/golang/checked-files.ts";
import { hashGoMod, hashZip } from "../../lambda/golang/dirhash.ts";
import { escapePath, escapeVersion } from "../../lambda/golang/module.ts";
import { open, type Verifier } from "../../lambda/golang/note.ts";
import { parseLookup } from "../../lambda/golang/sumdb.ts";
import { parseTree } from "../../lambda/golang/tlog.ts";
import type { LoggedVersion } from "../../lambda/proxy/checksums/log-check.ts";
import { explain } from "../../lambda/proxy/store/explain.ts";
import type { ServedModfront } from "./served-modfront.ts";

/** Versions looked at at once. */
const atOnce = 4;

/** What a record says of a file, and how many bytes there may be: as many as intake lets in. */
const fileKinds = {
  mod: {
    most: maxGoMod,
    hashOf: async (file: string) => hashGoMod(await readFile(file)),
    said: ({ goMod }: LoggedVersion) => goMod,
  },
  zip: { most: maxZipFile, hashOf: hashZip, said: ({ zip }: LoggedVersion) => zip },
} as const;

/** Who is told what is wrong. */
export interface FaultSink {
  add(line: string): void;
}

type Visit = (record: LoggedVersion) => Promise<void>;

/** What the records of a log speak of, as the modfront serves it: lookups, and the files themselves. */
export class LoggedFiles implements AsyncDisposable {
  readonly lookups = { right: 0, unreadable: 0 };
  readonly files = { right: 0, absent: 0, unreadable: 0 };
  readonly #server: ServedModfront;
  readonly #verifier: Verifier;
  readonly #faults: FaultSink;
  readonly #underWay = new Set<Promise<void>>();
  #folder: Promise<string> | undefined;

  constructor(server: ServedModfront, verifier: Verifier, faults: FaultSink) {
    this.#server = server;
    this.#verifier = verifier;
    this.#faults = faults;
  }

  /** Begins what is done with a record, and waits only while too much is under way. */
  async visit(record: LoggedVersion, visits: readonly Visit[]): Promise<void> {
    for (const visit of visits) {
      const work: Promise<void> = visit(record)
        .catch((error: unknown) => this.#faults.add(`${nameOf(record)}: ${explain(error)}`))
        .finally(() => this.#underWay.delete(work));
      this.#underWay.add(work);
      if (this.#underWay.size >= atOnce) await Promise.race(this.#underWay);
    }
  }

  /** Waits for what is under way. */
  async finish(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /** Removes what was downloaded. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.finish();
    if (this.#folder !== undefined) await rm(await this.#folder, { recursive: true, force: true });
  }

  /** A lookup has to lead to the very record, under a signed head that has it. */
  readonly lookUp: Visit = async (record) => {
    const path = `/sumdb/${this.#verifier.name}/lookup/${escapePath(record.path)}@${escapeVersion(record.version)}`;
    const read = await this.#server.read(path);
    if (read.kind === "refused") this.lookups.unreadable++;
    if (read.kind === "absent") this.#faults.add(`${nameOf(record)} is in the log and cannot be looked up`);
    if (read.kind !== "read") return;
    const { id, record: text, signedNote } = parseLookup(read.bytes);
    const { n } = parseTree(open(signedNote, [this.#verifier]).text);
    const right = id === BigInt(record.id) && Buffer.compare(text, record.text) === 0 && n > id;
    if (right) this.lookups.right++;
    else this.#faults.add(`the lookup of ${nameOf(record)} does not lead to record ${record.id}`);
  };

  /** The go.mod and zip that are stored, if they are, must have the hashes of the record. */
  readonly check: Visit = async (record) => {
    const kinds = ["mod", "zip"] as const;
    const found = await Promise.all(
      kinds.map((kind) =>
        this.#checkFile(record, kind).catch((error: unknown) => {
          this.#faults.add(`${nameOf(record)}: ${explain(error)}`);
          return "wrong" as const;
        }),
      ),
    );
    if (found.includes("wrong")) return;
    this.files[found.includes("refused") ? "unreadable" : found.includes("absent") ? "absent" : "right"]++;
  };

  async #checkFile(record: LoggedVersion, kind: keyof typeof fileKinds) {
    const { most, hashOf, said } = fileKinds[kind];
    const file = join(await this.#downloads(), `${record.id}.${kind}`);
    const path = `/${escapePath(record.path)}/@v/${escapeVersion(record.version)}.${kind}`;
    try {
      const outcome = await this.#server.save(path, file, most);
      if (outcome !== "read") return outcome;
      const stored = await hashOf(file);
      if (stored === said(record)) return "right";
      this.#faults.add(`the ${kind} of ${nameOf(record)} is ${stored}, and the log says ${said(record)}`);
      return "wrong";
    } finally {
      await rm(file, { force: true });
    }
  }

  #downloads(): Promise<string> {
    this.#folder ??= mkdtemp(join(tmpdir(), "modfront-log-check-"));
    return this.#folder;
  }
}

function nameOf({ path, version }: LoggedVersion): string {
  return `${path}@${version}`;
}
