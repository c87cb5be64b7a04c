import { missTime, readBody } from "../sources/module-source.ts";
import { refusalText } from "../sources/refusal-text.ts";
import { type Chain, type Upstream, type UpstreamBody, UpstreamFailure } from "../sources/upstream.ts";
import { fetchFromChain, type RetryPolicy } from "../sources/upstream-chain.ts";
import type { Clock } from "../store/clock.ts";
import { ServedError } from "../store/served-error.ts";

export interface SumdbGetOptions {
  /** Bytes that are too many; 1 MiB when left out. */
  readonly limit?: number;
  /** Gives up: rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Reads from a checksum database, whichever way it is reached. Nothing of what it returns is verified. */
export interface SumdbRemote {
  /**
   * The bytes under `path`: "/lookup/…", "/tile/…" or "/latest", escaped as module paths are.
   *
   * Throws `ServedError`: "checksum-unknown" for a lookup the database does not know, "not-found" for any other path it
   * does not have, "upstream-refused" with the text of a gatekeeper on the way, "checksum-unavailable" for everything else.
   */
  get(path: string, options?: SumdbGetOptions): Promise<Uint8Array>;
}

export interface SumdbReach {
  /** `"sum.golang.org"`. */
  readonly name: string;
  /** Base URL of the configuration: with it no upstream is asked. */
  readonly url?: string | undefined;
  /** The chain of public modules. */
  readonly chain: Chain;
  /** Makes the upstream that is the database's own server. */
  readonly direct: (url: string) => Upstream;
  readonly clock: Clock;
  readonly retry?: RetryPolicy;
}

interface Route {
  readonly upstream: Upstream;
  readonly prefix: string;
}

// The longest answer is a tile of 256 records of some hundred bytes.
const limit = 1024 * 1024;
const budget = missTime;

/**
 * Finds the way to a checksum database as the go command does (cmd/go/internal/modfetch, dbClient.initBase): through the
 * first upstream that answers `/sumdb/<name>/supported`, directly when all say that they do not.
 *
 * An upstream that is down or refuses does not mean "directly": an organisation may hide its requests behind it. The way
 * is remembered while it works and looked for again after a failure; however many ask, one search is under way.
 */
export function openSumdbRemote(reach: SumdbReach): SumdbRemote {
  let route: Promise<Route> | undefined;
  const forget = (failed: Promise<Route>) => {
    if (route === failed) route = undefined;
  };
  return {
    get: async (path, options = {}) => {
      route ??= findRoute(reach);
      const used = route;
      try {
        return await read(await used, path, { ...fetching(reach), ...options });
      } catch (error) {
        const served = translate(reach.name, path, error);
        if (served.code === "checksum-unavailable" || served.code === "upstream-refused") forget(used);
        throw served;
      }
    },
  };
}

async function findRoute(reach: SumdbReach): Promise<Route> {
  const { name, url } = reach;
  if (url !== undefined) return { upstream: reach.direct(url), prefix: "" };
  const prefix = `/sumdb/${name}`;
  const options = { limit, budget, ...fetching(reach) };
  try {
    const found = async (body: UpstreamBody, upstream: Upstream) => {
      await readBody(body);
      return upstream;
    };
    return { upstream: await fetchFromChain(reach.chain, `${prefix}/supported`, found, options), prefix };
  } catch (error) {
    if (!(error instanceof ServedError) || error.code !== "not-found") throw error;
    return { upstream: reach.direct(`https://${name}`), prefix: "" };
  }
}

function fetching({ clock, retry }: SumdbReach): Pick<SumdbReach, "clock" | "retry"> {
  return { clock, ...(retry && { retry }) };
}

function read(
  route: Route,
  path: string,
  options: SumdbGetOptions & Pick<SumdbReach, "clock" | "retry">,
): Promise<Uint8Array> {
  const chain: Chain = { steps: [{ upstream: route.upstream, onAnyError: false }], end: "nothing" };
  return fetchFromChain(chain, route.prefix + path, readBody, { limit, budget, ...options });
}

/** The caller's own abort reason and programming errors pass through as they are. */
function translate(name: string, path: string, error: unknown): ServedError {
  if (!(error instanceof ServedError)) throw error;
  if (error.code === "upstream-refused") return error;
  if (error.code === "not-found") {
    if (!path.startsWith("/lookup/")) return error;
    const line = `checksum database ${name} does not know this module version; add the module to private if it is yours`;
    return new ServedError("checksum-unknown", [line, ...databaseText(error)].join("\n"), { cause: error });
  }
  const [first = ""] = error.message.split("\n");
  return new ServedError("checksum-unavailable", `checksum database ${name} cannot be asked: ${first}`, {
    cause: error,
  });
}

/** What the database itself said, in its own lines. */
function databaseText({ cause }: ServedError): string[] {
  const text = cause instanceof UpstreamFailure ? refusalText(cause.details?.text ?? "") : undefined;
  return text === undefined ? [] : [text];
}
