import type { AccessSettings } from "../../edge/access-settings.ts";
import type { RoutedPath } from "../../edge/routed-path.ts";
import type { Identity } from "../../edge/token.ts";
import { rememberedBody } from "../sources/version-list.ts";
import { ChannelIndex } from "../store/channel-index.ts";
import type { Clock } from "../store/clock.ts";
import type { FillAnswer, FillPlane, FillRequest } from "../store/fill-plane.ts";
import type { PolicyName } from "../store/layout.ts";
import { ServedError } from "../store/served-error.ts";
import type { ModuleEntry, VersionIndex } from "../store/version-index.ts";
import { type ModuleRequest, parseModuleRequest } from "./module-request.ts";
import { checkReader } from "./record-readers.ts";
import { parseSumdbRequest, type ServedDatabase } from "./sumdb-request.ts";

/** An answer before HTTP: what it is, and its body or the key of the stored file that is the body. */
export interface Served {
  readonly policy: PolicyName;
  /** The module it is about, where it is about one. */
  readonly module: string | undefined;
  readonly content: FillAnswer;
}

export interface ServeParts {
  readonly fill: FillPlane;
  readonly isPrivate: (module: string) => boolean;
}

/** In which channel somebody asks, and the one that is in the key of caches: absent or empty for the default. */
export interface InChannel {
  readonly channel?: string | undefined;
  readonly view?: string | undefined;
}

/**
 * `.info`, `.mod` and `.zip` of a version, and `.info` of a query: whatever reached us was not in the store.
 *
 * A version is the same from wherever it came; what a query means is not, so that it goes by what caches tell apart.
 */
export async function serveFile(
  parts: ServeParts,
  routed: RoutedPath,
  { channel, view }: InChannel = {},
): Promise<Served> {
  const request = parseModuleRequest(routed);
  if (request.kind === "list" || request.kind === "latest") throw new ServedError("not-found", "no such file");
  const module = "path" in request ? request.path : request.module.path;
  const inChannel = request.kind === "query" ? view : channel;
  return { policy: request.kind, module, content: await parts.fill.fill({ ...request, ...named(inChannel) }) };
}

function named(channel: string | undefined): { readonly channel?: string } {
  return channel ? { channel } : {};
}

export interface ServeIndexParts extends ServeParts {
  readonly index: VersionIndex;
  readonly clock: Pick<Clock, "now">;
  /** Those channels that have upstreams of their own, and so memories. */
  readonly apart?: ReadonlySet<string>;
}

/** `@v/list` and `@latest`: one read of the index while what it remembers is fresh, a few in a channel. */
export async function serveIndex(
  parts: ServeIndexParts,
  routed: RoutedPath,
  { view = "" }: InChannel = {},
): Promise<Served> {
  const request = parseModuleRequest(routed);
  if (request.kind !== "list" && request.kind !== "latest") throw new ServedError("not-found", "no such page");
  const index = parts.apart?.has(view) ? new ChannelIndex(parts.index, view) : parts.index;
  const entry = await index.module(request.path);
  const content =
    remembered(request, entry, parts.clock.now()) ?? (await parts.fill.fill({ ...request, ...named(view) }));
  return { policy: request.kind, module: request.path, content };
}

function remembered(request: ModuleRequest, entry: ModuleEntry, now: number): FillAnswer | undefined {
  const memory = entry[request.kind === "list" ? "list" : "latest"];
  if (memory === undefined || memory.freshUntil <= now) return undefined;
  const text = request.kind === "list" ? rememberedBody(memory.text) : memory.text;
  return { body: new TextEncoder().encode(text), freshUntil: memory.freshUntil };
}

export interface ServeSumdbParts extends ServeParts {
  /** The checksum databases below `/sumdb/`. */
  readonly databases: readonly ServedDatabase[];
  /** Who may read what. */
  readonly access: AccessSettings;
}

/** `/sumdb/<name>/…`: what was verified of somebody's checksum database, and our own log. */
export async function serveSumdb(parts: ServeSumdbParts, routed: RoutedPath, identity: Identity): Promise<Served> {
  const request = parseSumdbRequest(routed, parts.databases);
  if (request.kind === "supported")
    return { policy: "supported", module: undefined, content: { body: new Uint8Array() } };
  const { isOurs, name } = request.database;
  if (request.kind === "lookup" && !isOurs && parts.isPrivate(request.module.path))
    throw privateLookup(request.module.path, parts.databases);
  const module = request.kind === "lookup" ? request.module.path : undefined;
  const { policy, ...asked } = request;
  const content = await parts.fill.fill({ ...asked, database: name } satisfies FillRequest);
  if (policy === "records") checkReader(content, parts.access, identity);
  return { policy, module, content };
}

/** The lookup of a private module is answered here: its path must not reach a public database. */
function privateLookup(path: string, databases: readonly ServedDatabase[]): ServedError {
  const remedy = databases.some(({ isOurs }) => isOurs)
    ? "set GOSUMDB to the line of /-/gosumdb, this proxy's own, which has it"
    : `set GONOSUMDB=${path} (GOPRIVATE would make go pass this proxy by)`;
  return new ServedError("forbidden", `${path} is private and not in the public checksum database: ${remedy}`);
}
