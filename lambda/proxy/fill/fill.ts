import type { Verifier } from "../../golang/note.ts";
import { type ChecksumDatabase, noChecksums } from "../checksums/checksums.ts";
import { LoggedChecksums } from "../checksums/logged-checksums.ts";
import { SumdbFill } from "../checksums/sumdb-fill.ts";
import type { SumdbRemote } from "../checksums/sumdb-reach.ts";
import { Intake } from "../intake/intake.ts";
import type { ZipInspector } from "../intake/zip-inspector.ts";
import { ChainModuleSource } from "../sources/module-source.ts";
import type { UpstreamRouter } from "../sources/upstream.ts";
import { formatList } from "../sources/version-list.ts";
import type { ClaimStore } from "../store/claim-store.ts";
import type { Clock } from "../store/clock.ts";
import type { FillAnswer, FillPlane, FillRequest } from "../store/fill-plane.ts";
import type { FileKind, ModuleVersion } from "../store/layout.ts";
import type { LeaseStore } from "../store/lease-store.ts";
import { Leases } from "../store/leases.ts";
import type { ModuleStore } from "../store/module-store.ts";
import type { RecordLog, RecordReads } from "../store/record-log.ts";
import { ServedError } from "../store/served-error.ts";
import type { TemporaryFiles } from "../store/temporary-files.ts";
import type { TreeHeadStore } from "../store/tree-head-store.ts";
import type { VersionIndex } from "../store/version-index.ts";
import { FileFill } from "./file-fill.ts";
import { LatestFill } from "./latest-fill.ts";
import { ListFill } from "./list-fill.ts";
import { LogDatabase } from "./log-database.ts";
import { QueryFill } from "./query-fill.ts";

/** Our own checksum database: what enters it, and what it says. */
export interface OwnLog {
  readonly name: string;
  readonly log: RecordLog;
  readonly reads: RecordReads;
  /** Throws `ServedError` "store-failed" where there is no room for another record and what it takes. */
  readonly checkRoom?: (() => void) | undefined;
}

/** What the fill plane is made of; everything here is an adapter or a setting. */
export interface FillParts {
  readonly store: ModuleStore;
  readonly index: VersionIndex;
  readonly claims: ClaimStore;
  readonly leases: LeaseStore;
  readonly heads: TreeHeadStore;
  readonly router: UpstreamRouter;
  /** The checksum database, or `undefined` where none is configured. */
  readonly sumdb: { readonly verifier: Verifier; readonly remote: SumdbRemote } | undefined;
  /** Our own checksum database, where there is one. */
  readonly ownLog?: OwnLog | undefined;
  readonly inspector: ZipInspector;
  readonly temporaryFiles: TemporaryFiles;
  readonly clock: Clock;
  /** Seconds. */
  readonly ttl: { readonly list: number; readonly query: number; readonly notFound: number };
  /** Seconds: `total` for one file, from all upstreams and with all tries. */
  readonly timeouts: { readonly total: number };
}

/** The fill plane itself: each kind of request to the part that knows it. */
export class Fill implements FillPlane {
  readonly #files: FileFill;
  readonly #lists: ListFill;
  readonly #latest: LatestFill;
  readonly #queries: QueryFill;
  /** By their names. */
  readonly #databases = new Map<string, ChecksumDatabase>();

  constructor(parts: FillParts) {
    const { index, clock, ttl, ownLog } = parts;
    const source = new ChainModuleSource(parts.router, clock);
    const isPrivate = (module: string) => parts.router.isPrivate(module);
    const sumdb = parts.sumdb && new SumdbFill({ ...parts, ...parts.sumdb, isPrivate });
    if (parts.sumdb && sumdb) this.#databases.set(parts.sumdb.verifier.name, sumdb);
    const theirs = sumdb ?? noChecksums;
    this.#files = new FileFill({
      ...parts,
      source,
      intake: new Intake(parts),
      leases: new Leases(parts.leases, clock),
      checksums: ownLog === undefined ? theirs : new LoggedChecksums(theirs, ownLog.reads),
      notFoundSeconds: ttl.notFound,
      budget: parts.timeouts.total * 1000,
    });
    if (ownLog !== undefined) {
      const record = (module: ModuleVersion, waitUntil: number) => this.#files.record(module, waitUntil);
      this.#databases.set(ownLog.name, new LogDatabase({ ...ownLog, record }));
    }
    const seconds = { listSeconds: ttl.list, querySeconds: ttl.query, notFoundSeconds: ttl.notFound };
    this.#lists = new ListFill({ index, source, clock, ...seconds });
    this.#latest = new LatestFill({ index, source, clock, lists: this.#lists, files: this.#files, ...seconds });
    this.#queries = new QueryFill({ index, source, clock, ...seconds });
  }

  async fill(request: FillRequest, waitUntil = Number.POSITIVE_INFINITY): Promise<FillAnswer> {
    switch (request.kind) {
      case "info":
      case "mod":
      case "zip":
        return this.#file(request.kind, request.module, waitUntil);
      case "list":
        return this.#list(request.path);
      case "latest":
        return this.#latest.fill(request.path);
      case "query":
        return this.#queries.fill(request.path, request.query);
      case "lookup":
        return { body: await this.#database(request.database).lookup(request.module, waitUntil) };
      case "tile":
        return { body: await this.#database(request.database).tile(request.path) };
      case "head":
        return this.#database(request.database).head();
    }
  }

  /** What has versions logged that are stored (upkeep/log-backlog.ts). */
  get logging(): Pick<FileFill, "known" | "logByFiles"> {
    return this.#files;
  }

  /** Makes the version of a stored file visible, where a process died before it could. */
  reveal(kind: FileKind, module: ModuleVersion): Promise<void> {
    return this.#files.reveal(kind, module);
  }

  #database(name: string): ChecksumDatabase {
    const database = this.#databases.get(name);
    if (database !== undefined) return database;
    throw new ServedError("not-found", "this proxy does not have that checksum database");
  }

  async #file(...[kind, module, waitUntil]: Parameters<FileFill["fill"]>): Promise<FillAnswer> {
    const { key, size, bytes } = await this.#files.fill(kind, module, waitUntil);
    return bytes === undefined ? { stored: key, size } : { body: bytes };
  }

  async #list(path: string): Promise<FillAnswer> {
    const { list, freshUntil, stale } = await this.#lists.fill(path);
    return { body: new TextEncoder().encode(formatList(list)), freshUntil, stale };
  }
}
