import type { Clock } from "../store/clock.ts";
import type { ModuleVersion } from "../store/layout.ts";
import type { LeaseStore } from "../store/lease-store.ts";
import { ServedError, type ServedErrorCode } from "../store/served-error.ts";
import type { TreeHeadStore } from "../store/tree-head-store.ts";
import { type LogBacklogParts, logStored } from "./log-backlog.ts";

export interface BacklogTurnParts extends Omit<LogBacklogParts, "signal"> {
  readonly clock: Pick<Clock, "now" | "sleep">;
  readonly leases: Pick<LeaseStore, "acquire" | "release">;
  /** Where it is remembered how far the turns came. */
  readonly heads: TreeHeadStore;
}

/**
 * How a turn ended: all that was stored before there was a log is in it, there is more, something fails so that the next
 * try should wait, or somebody else is at it.
 */
export type BacklogTurn = "done" | "more" | "failed" | "elsewhere";

/** How far the turns came: behind which version the next one begins, or that there is none. */
interface Progress {
  readonly after?: ModuleVersion;
  readonly done?: true;
}

const name = "log backlog";

/** Milliseconds after which a turn begins no further page, and for which nobody else begins: a page may have to read zips. */
const times = { turn: 480_000, lease: 900_000 } as const;

/** What says something of log or store, and not of the version at hand. */
const outages: readonly ServedErrorCode[] = [
  ...(["store-failed", "log-busy", "log-unsigned", "log-damaged", "log-shorter"] as const),
  ...(["checksum-unavailable", "checksum-fork"] as const),
];

/**
 * Logs some of what is stored and has no record: `logStored` for so long as a function may run, and from where the turn
 * before ended. What it could not log for a reason of its own is told, passed over, and logged when it is looked up.
 */
export async function takeBacklogTurn(parts: BacklogTurnParts): Promise<BacklogTurn> {
  const { clock, leases, heads } = parts;
  const began = clock.now();
  const lease = await leases.acquire(name, began, began + times.lease);
  if (lease === undefined) return "elsewhere";
  try {
    const first = progressOf(await heads.read(name));
    return first.done ? "done" : await logFrom(parts, first.after, began + times.turn);
  } finally {
    await leases.release(name, lease.fence, undefined);
  }
}

async function logFrom(parts: BacklogTurnParts, first: ModuleVersion | undefined, end: number): Promise<BacklogTurn> {
  const { stored, clock, heads } = parts;
  const stop = new AbortController();
  let ended: BacklogTurn = "done";
  const endAs = (how: BacklogTurn) => {
    ended = how;
    stop.abort();
  };
  const page = async (after: ModuleVersion | undefined, limit: number) => {
    if (after !== undefined) await remember(heads, { after });
    if (clock.now() < end) return await stored(after ?? first, limit);
    endAs("more");
    return [];
  };
  const failed = (module: ModuleVersion, error: unknown) => {
    parts.failed(module, error);
    if (error instanceof ServedError && outages.includes(error.code)) endAs("failed");
  };
  await logStored({ ...parts, stored: page, failed, signal: stop.signal });
  if (ended === "done") await remember(heads, { done: true });
  return ended;
}

async function remember(heads: TreeHeadStore, progress: Progress): Promise<void> {
  const next = new TextEncoder().encode(JSON.stringify(progress));
  await heads.replace(name, await heads.read(name), next);
}

function progressOf(kept: Uint8Array | undefined): Progress {
  return kept === undefined ? {} : (JSON.parse(new TextDecoder().decode(kept)) as Progress);
}
