import type { Fill } from "../../proxy/fill/fill.ts";
import type { Clock } from "../../proxy/store/clock.ts";
import { explain } from "../../proxy/store/explain.ts";
import type { ModuleVersion } from "../../proxy/store/layout.ts";
import { type LogBacklogParts, logStored } from "../../proxy/upkeep/log-backlog.ts";
import { versionPages } from "../data/logged-versions.ts";
import type { OpenedData } from "./opened-data.ts";

/** Milliseconds that a zip which is read for its hash has to come to its end when the server stops. */
const lastWait = 2_000;

/** Lines about versions that could not be logged. */
const mostLines = 10;

export interface LogUpkeepParts {
  readonly opened: OpenedData;
  readonly logging: Fill["logging"];
  readonly clock: Pick<Clock, "sleep">;
  readonly warn: (line: string) => void;
}

/**
 * Logs, while requests are answered, what was stored before there was a log or by a process that died; returns what stops
 * it, once what is under way is done.
 */
export function startLogUpkeep(parts: LogUpkeepParts): () => Promise<void> {
  const stop = new AbortController();
  const running = logAll(parts, stop.signal).catch((error: unknown) => {
    if (!stop.signal.aborted) parts.warn(`the log of this modfront fails: ${explain(error)}`);
  });
  return async () => {
    stop.abort();
    await Promise.race([running, parts.clock.sleep(lastWait)]);
  };
}

async function logAll({ opened, logging, clock, warn }: LogUpkeepParts, signal: AbortSignal): Promise<void> {
  const { database, ownLog, unlogged } = opened;
  // What other processes left waiting, and a head even of an empty log: whoever checks it finds one.
  await ownLog.log.drain(signal);
  let failures = 0;
  const failed = ({ path, version }: ModuleVersion, error: unknown) => {
    failures++;
    if (failures <= mostLines) warn(`${path}@${version} is not in the log: ${explain(error)}`);
  };
  const parts: LogBacklogParts = {
    stored: versionPages(database),
    numbers: (modules) => ownLog.store.numbers(modules),
    known: (module) => logging.known(module),
    logByFiles: (module) => logging.logByFiles(module),
    log: ownLog.log,
    clock,
    failed,
    signal,
  };
  for (const module of unlogged) {
    if (signal.aborted) return;
    await logging.logByFiles(module).catch((error: unknown) => failed(module, error));
  }
  const logged = await logStored(parts);
  if (logged > 0) warn(`${logged} versions that were stored before are in the log now`);
  if (failures > mostLines) warn(`${failures} versions are not in the log: they are tried again at the next start`);
}
