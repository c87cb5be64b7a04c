import type { Verifier } from "../../golang/note.ts";
import { type ChecksumDatabase, noChecksums } from "../checksums/checksums.ts";
import { LoggedChecksums } from "../checksums/logged-checksums.ts";
import { SumdbFill } from "../checksums/sumdb-fill.ts";
import type { SumdbRemote } from "../checksums/sumdb-reach.ts";
import { Intake } from "../intake/intake.ts";
import type { StoredFile } from "../intake/stored-file.ts";
import type { ZipInspector } from "../intake/zip-inspector.ts";
import { bothGates, type VersionGate } from "../policy/both-gates.ts";
import type { ConfiguredPolicy } from "../policy/policy.ts";
import { PolicyGate } from "../policy/policy-gate.ts";
import { ChainModuleSource } from "../sources/module-source.ts";
import type { UpstreamRouter } from "../sources/upstream.ts";
import { formatList } from "../sources/version-list.ts";
import { ChannelIndex } from "../store/channel-index.ts";
import type { ClaimStore } from "../store/claim-store.ts";
import type { Clock } from "../store/clock.ts";
import type { FillAnswer, FillPlane, FillRequest, Published, Yanked } from "../store/fill-plane.ts";
import type { FileKind, ModuleVersion } from "../store/layout.ts";
import type { LeaseStore } from "../store/lease-store.ts";
import { Leases } from "../store/leases.ts";
import type { ModuleStore } from "../store/module-store.ts";
import type { RecordLog, RecordReads } from "../store/record-log.ts";
import type { RulingStore } from "../store/ruling-store.ts";
import { ServedError } from "../store/served-error.ts";
import type { TemporaryFiles } from "../store/temporary-files.ts";
import type { TreeHeadStore } from "../store/tree-head-store.ts";
import type { VersionIndex } from "../store/version-index.ts";
import { FileFill, type FileFillParts } from "./file-fill.ts";
import { LatestFill } from "./latest-fill.ts";
import { type FilledList, ListFill } from "./list-fill.ts";
import { LogDatabase } from "./log-database.ts";
import type { PublicationRule } from "./publication-rules.ts";
import { PublishFill } from "./publish-fill.ts";
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
  /** What may come in, and what is ruled beside it. */
  readonly policy: ConfiguredPolicy;
  /** What is refused beside that in channels, by their names: files are of all, so that none can let in more. */
  readonly channelPolicies?: ReadonlyMap<string, ConfiguredPolicy> | undefined;
  readonly rulings?: Pick<RulingStore, "ofModule"> | undefined;
  /** Seconds. */
  readonly ttl: { readonly list: number; readonly query: number; readonly notFound: number };
  /** How versions that are published follow each other. */
  readonly publishing?: { readonly rules: readonly PublicationRule[] } | undefined;
  /** Seconds: `total` for one file, from all upstreams and with all tries. */
  readonly timeouts: { readonly total: number };
}

/** What is obtained from one set of upstreams, by one policy. */
interface Obtained {
  readonly files: FileFill;
  readonly lists: ListFill;
  readonly latest: LatestFill;
  readonly queries: QueryFill;
}

/** The fill plane itself: each kind of request to the part that knows it, of the channel that it is for. */
export class Fill implements FillPlane {
  readonly #default: Obtained;
  /** By the names of channels that have upstreams or a policy of their own; any other is as the default. */
  readonly #channels = new Map<string, Obtained>();
  readonly #publications: PublishFill;
  /** By their names. */
  readonly #databases = new Map<string, ChecksumDatabase>();

  constructor(parts: FillParts) {
    const { index, clock, ownLog, router } = parts;
    const isPrivate = (module: string) => router.isPrivate(module);
    const sumdb = parts.sumdb && new SumdbFill({ ...parts, ...parts.sumdb, isPrivate });
    if (parts.sumdb && sumdb) this.#databases.set(parts.sumdb.verifier.name, sumdb);
    const theirs = sumdb ?? noChecksums;
    // Whatever comes from wherever: one gate, and one fetch of a file at a time.
    const gate = new PolicyGate(parts);
    const shared = {
      ...parts,
      gate,
      intake: new Intake({ ...parts, gate }),
      leases: new Leases(parts.leases, clock),
      checksums: ownLog === undefined ? theirs : new LoggedChecksums(theirs, ownLog.reads),
      budget: parts.timeouts.total * 1000,
    };
    this.#default = obtainedFrom(router, index, shared);
    const indices = [index];
    const policies = parts.channelPolicies ?? new Map<string, ConfiguredPolicy>();
    for (const name of new Set([...(router.channels?.keys() ?? []), ...policies.keys()])) {
      const view = new ChannelIndex(index, name);
      indices.push(view);
      const policy = policies.get(name);
      const own = policy && bothGates(gate, new PolicyGate({ policy, index: view, clock }));
      const judged = own === undefined ? shared : { ...shared, gate: own, intake: new Intake({ ...parts, gate: own }) };
      this.#channels.set(name, obtainedFrom(router.channels?.get(name) ?? router, view, judged));
    }
    this.#publications = new PublishFill({
      ...shared,
      indices,
      files: this.#default.files,
      rules: parts.publishing?.rules ?? [],
      isPrivate,
    });
    if (ownLog !== undefined) {
      const record = (module: ModuleVersion, waitUntil: number) => this.#default.files.record(module, waitUntil);
      this.#databases.set(ownLog.name, new LogDatabase({ ...ownLog, record }));
    }
  }

  async fill(request: FillRequest, waitUntil = Number.POSITIVE_INFINITY): Promise<FillAnswer> {
    switch (request.kind) {
      case "info":
      case "mod":
      case "zip":
        return fileAnswer(await this.#of(request).files.fill(request.kind, request.module, waitUntil));
      case "list":
        return listAnswer(await this.#of(request).lists.fill(request.path, request.maxAge));
      case "latest":
        return this.#of(request).latest.fill(request.path, request.maxAge);
      case "query":
        return this.#of(request).queries.fill(request.path, request.query, request.maxAge);
      case "publish":
        return json(await this.#publications.publish(request.module, request.upload, { ...request, waitUntil }));
      case "yank":
        return json(await this.#publications.yank(request.module, request.on));
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
    return this.#default.files;
  }

  /** Makes the version of a stored file visible, where a process died before it could. */
  reveal(kind: FileKind, module: ModuleVersion): Promise<void> {
    return this.#default.files.reveal(kind, module);
  }

  #of({ channel = "" }: { readonly channel?: string | undefined }): Obtained {
    return this.#channels.get(channel) ?? this.#default;
  }

  #database(name: string): ChecksumDatabase {
    const database = this.#databases.get(name);
    if (database !== undefined) return database;
    throw new ServedError("not-found", "this proxy does not have that checksum database");
  }
}

function obtainedFrom(
  router: UpstreamRouter,
  index: VersionIndex,
  parts: Pick<FillParts, "clock" | "ttl"> & { readonly gate: VersionGate } & Omit<
      FileFillParts,
      "index" | "source" | "notFoundSeconds"
    >,
): Obtained {
  const { clock, ttl, gate } = parts;
  const source = new ChainModuleSource(router, clock);
  const seconds = { listSeconds: ttl.list, querySeconds: ttl.query, notFoundSeconds: ttl.notFound };
  const files = new FileFill({ ...parts, index, source, notFoundSeconds: ttl.notFound });
  const lists = new ListFill({ index, source, clock, gate, ...seconds });
  const latest = new LatestFill({ index, source, clock, gate, lists, files, ...seconds });
  return { files, lists, latest, queries: new QueryFill({ index, source, clock, gate, latest, ...seconds }) };
}

function fileAnswer({ key, size, bytes }: StoredFile): FillAnswer {
  return bytes === undefined ? { stored: key, size } : { body: bytes };
}

function listAnswer({ list, freshUntil, stale }: FilledList): FillAnswer {
  return { body: new TextEncoder().encode(formatList(list)), freshUntil, stale };
}

function json(value: Published | Yanked): FillAnswer {
  return { body: new TextEncoder().encode(JSON.stringify(value)) };
}
