import { createReadStream } from "node:fs";
import { stepsPerTurn } from "../../../golang/steps.ts";
import type { Upstream, UpstreamBody } from "../../../proxy/sources/upstream.ts";
import { UpstreamFailure } from "../../../proxy/sources/upstream.ts";
import { nextTurn } from "../../../proxy/store/in-turns.ts";
import type { TemporaryFiles } from "../../../proxy/store/temporary-files.ts";
import { Absence } from "../discovery/absence.ts";
import type { Discovery } from "../discovery/discovery.ts";
import type { RepositoryAddress } from "../discovery/repository-address.ts";
import type { GitLimits } from "../pack/git-limits.ts";
import type { GitRepository } from "../repository/git-repository.ts";
import type { Snapshot } from "../repository/snapshot.ts";
import { Code } from "./code.ts";
import { absent, directFailure } from "./direct-failure.ts";
import { type DirectRequest, parseDirectRequest } from "./direct-request.ts";
import { legacyGoMod } from "./go-mod.ts";
import { pathsOfModule } from "./module-files.ts";
import type { ModuleInfo } from "./module-info.ts";
import { modulePlace } from "./module-place.ts";
import { ModuleVersions } from "./module-versions.ts";
import type { RefListings } from "./ref-listings.ts";
import type { ModuleZips } from "./thread-zips.ts";
import { WantedZips } from "./wanted-zips.ts";

/** What `direct` is made of. */
export interface DirectParts {
  readonly discovery: Pick<Discovery, "find">;
  /**
   * A module's repository, which go knows by this URL; `below` is what the module is called in there. Throws `GitFailure` or
   * `UpstreamFailure` for one that is not to be reached.
   */
  readonly openRepository: (url: string, module: string, below: string) => GitRepository;
  /** A module proxy that a module's page names: as little trusted as the page. */
  readonly openProxy: (url: string, module: string) => Upstream;
  readonly listings: RefListings;
  readonly zips: ModuleZips;
  readonly files: TemporaryFiles;
  readonly limits: GitLimits;
}

interface Call {
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds: an older listing is not good. */
  readonly maxAge?: number | undefined;
  /** Whether somebody waits for the zip of the version that is asked about. */
  readonly isZipWanted: () => boolean;
}

/** The place `direct` of a chain: answers out of the modules' repositories as a module proxy would. */
export class DirectUpstream implements Upstream {
  readonly name = "direct";
  readonly #parts: DirectParts;
  readonly #wanted = new WantedZips();

  constructor(parts: DirectParts) {
    this.#parts = parts;
  }

  async get(path: string, call: Parameters<Upstream["get"]>[1]): Promise<UpstreamBody> {
    call.signal?.throwIfAborted();
    let where: string | undefined;
    try {
      const request = parseDirectRequest(path);
      using _ = request.kind === "zip" ? this.#wanted.add(path) : undefined;
      where = `https://${request.module}`;
      const address = await this.#parts.discovery.find(request.module, call.signal);
      where = address.url;
      if (address.kind === "proxy") return await this.#parts.openProxy(address.url, request.module).get(path, call);
      const isZipWanted = () => this.#wanted.has(path);
      return await new DirectAnswer(this.#parts, address, request, { ...call, isZipWanted }).answer();
    } catch (error) {
      call.signal?.throwIfAborted();
      throw directFailure(error, where);
    }
  }
}

/** One answer out of one repository. */
class DirectAnswer {
  readonly #parts: DirectParts;
  readonly #address: RepositoryAddress & { readonly kind: "git" };
  readonly #request: DirectRequest;
  readonly #call: Call;

  constructor(
    parts: DirectParts,
    address: RepositoryAddress & { readonly kind: "git" },
    request: DirectRequest,
    call: Call,
  ) {
    this.#parts = parts;
    this.#address = address;
    this.#request = request;
    this.#call = call;
  }

  /** A version that is not in a listing that was kept may have come since, so that it is looked for in a new one. */
  async answer(): Promise<UpstreamBody> {
    const { listings, openRepository } = this.#parts;
    const { signal, maxAge, isZipWanted } = this.#call;
    const place = modulePlace(this.#address, this.#request.module);
    const repository = openRepository(this.#address.url, place.path, `${place.directory}/${place.major}`);
    // In use to the end, so that none is removed before it was read.
    const snapshots: Snapshot[] = [];
    const fetchAll = async (commit: string) => {
      if (isZipWanted()) snapshots.push(await snapshotOf(repository, commit, place.directory, signal));
    };
    const parts = { url: this.#address.url, repository, signal, fetchAll };
    const { listing, isNew } = await listings.get(repository, { signal, maxAge });
    try {
      return await this.#respond(repository, new ModuleVersions(new Code({ ...parts, refs: listing }), place));
    } catch (error) {
      const newer = isNew || !(error instanceof Absence) ? undefined : await listings.renew(repository, signal);
      if (newer === undefined) throw error;
      return await this.#respond(repository, new ModuleVersions(new Code({ ...parts, refs: newer }), place));
    } finally {
      for (const snapshot of snapshots) snapshot.close();
    }
  }

  async #respond(repository: GitRepository, versions: ModuleVersions): Promise<UpstreamBody> {
    const request = this.#request;
    if (request.kind === "list") return this.#body(await linesOf(await versions.list()));
    if (request.kind === "latest") return this.#body((await versions.latest()).json);
    const info = await versions.info(request.version);
    if (request.kind === "info") return this.#body(info.json);
    // Only .info answers queries: what else there is of a version goes by its own name.
    if (info.version !== request.version) throw new Absence(`${request.module}@${request.version}: is ${info.version}`);
    const found = await versions.find(info);
    if (request.kind === "mod") return this.#body(found.goMod ?? legacyGoMod(request.module));
    return this.#zip(repository, info, found.directory);
  }

  #body(bytes: Uint8Array): UpstreamBody {
    if (bytes.length > this.#call.limit) throw tooLarge(this.#call.limit);
    return { chunks: once(bytes), length: bytes.length };
  }

  async #zip(repository: GitRepository, { version, revision }: ModuleInfo, directory: string): Promise<UpstreamBody> {
    const { zips, files, limits } = this.#parts;
    const { signal, limit } = this.#call;
    const snapshot = await snapshotOf(repository, revision.commit.id, directory, signal);
    const output = files.next();
    try {
      const module = { path: this.#request.module, version };
      const result = await zips.make({ module, place: snapshot.place, directory, output, limits }, signal);
      if (result.kind === "refused") throw absent(`create zip: ${result.why}`);
      if (result.kind === "failed") throw new UpstreamFailure("bad-answer", `cannot make its zip: ${result.why}`);
      if (result.size > limit) throw tooLarge(limit);
      signal?.throwIfAborted();
      return { chunks: new FileChunks(output, files), length: result.size };
    } catch (error) {
      await files.remove(output);
      throw error;
    } finally {
      snapshot.close();
    }
  }
}

/** All that a zip of the module in `directory` takes. */
function snapshotOf(
  repository: GitRepository,
  commit: string,
  directory: string,
  signal: AbortSignal | undefined,
): Promise<Snapshot> {
  const paths = pathsOfModule(directory);
  return repository.snapshot(commit, { signal, ...(paths && { paths }) });
}

function tooLarge(limit: number): UpstreamFailure {
  return new UpstreamFailure("too-large", `has more than ${limit} bytes of it`);
}

/** One version a line, a thousand in a turn. */
async function linesOf(versions: readonly string[]): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let start = 0; start < versions.length; start += stepsPerTurn) {
    if (start > 0) await nextTurn();
    parts.push(Buffer.from(`${versions.slice(start, start + stepsPerTurn).join("\n")}\n`));
  }
  return Buffer.concat(parts);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Reads a temporary file once, and removes it when that is over, whether it was read or not. */
class FileChunks implements AsyncIterableIterator<Uint8Array> {
  readonly #path: string;
  readonly #files: TemporaryFiles;
  #source: AsyncIterator<Uint8Array> | undefined;

  constructor(path: string, files: TemporaryFiles) {
    this.#path = path;
    this.#files = files;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    this.#source ??= createReadStream(this.#path, { highWaterMark: 1 << 18 })[Symbol.asyncIterator]();
    try {
      const next = await this.#source.next();
      if (next.done) await this.#files.remove(this.#path);
      return next;
    } catch (error) {
      await this.#files.remove(this.#path);
      throw error;
    }
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    await this.#source?.return?.();
    await this.#files.remove(this.#path);
    return { done: true, value: undefined };
  }
}
