import type { Clock } from "../store/clock.ts";
import type { ModuleVersion } from "../store/layout.ts";
import type { LogRecord, LogStore } from "../store/log-store.ts";
import type { RecordLog } from "../store/record-log.ts";

/** Versions that are looked up in one go, and records of one append. */
const atOnce = { looked: 100, appended: 25 } as const;

/** Milliseconds between two goes: whoever asks for modules meanwhile comes first. */
const pause = 5;

export interface LogBacklogParts {
  /** Every version that is stored or claimed, in an order that stays the same, in pages; each after the last of the one before. */
  readonly stored: (after: ModuleVersion | undefined, limit: number) => Promise<readonly ModuleVersion[]>;
  readonly numbers: LogStore["numbers"];
  /** What is known of a version without its files and without asking anybody: by a claim, or by a proof that is kept. */
  readonly known: (module: ModuleVersion) => Promise<LogRecord | undefined>;
  /** Logs a version by its files; false where they are not all stored, and nothing is obtained for it. */
  readonly logByFiles: (module: ModuleVersion) => Promise<boolean>;
  readonly log: Pick<RecordLog, "append">;
  readonly clock: Pick<Clock, "sleep">;
  /** Told of what could not be logged; it is tried again at the next start, and where it is looked up. */
  readonly failed: (module: ModuleVersion, error: unknown) => void;
  readonly signal: AbortSignal;
}

/**
 * Logs what is stored and has no record, because it was stored before there was a log, or by a process that died; says how
 * many records were appended.
 *
 * Bounded and resumable: it goes through the versions page by page, and what is logged is not done again.
 */
export async function logStored(parts: LogBacklogParts): Promise<number> {
  const { stored, numbers, clock, signal } = parts;
  let logged = 0;
  for (let last: ModuleVersion | undefined; ; ) {
    if (signal.aborted) return logged;
    const page = await stored(last, atOnce.looked);
    last = page.at(-1);
    if (last === undefined) return logged;
    const present = await numbers(page);
    const missing = page.filter((_, i) => present[i] === undefined);
    for (let from = 0; from < missing.length && !signal.aborted; from += atOnce.appended) {
      logged += await logSome(parts, missing.slice(from, from + atOnce.appended));
      await sleep(clock, signal);
    }
    await sleep(clock, signal);
  }
}

async function sleep(clock: Pick<Clock, "sleep">, signal: AbortSignal): Promise<void> {
  await clock.sleep(pause, signal).catch(() => {});
}

/** Those of which the hashes are known together, the others one by one: a zip has to be read for each. */
async function logSome(parts: LogBacklogParts, modules: readonly ModuleVersion[]): Promise<number> {
  const { known, logByFiles, log, failed, signal } = parts;
  const found: LogRecord[] = [];
  let logged = 0;
  const counted = async (module: ModuleVersion, work: () => Promise<unknown>) => {
    try {
      if ((await work()) !== false) logged++;
    } catch (error) {
      failed(module, error);
    }
  };
  for (const module of modules) {
    if (signal.aborted) return logged;
    try {
      const hashes = await known(module);
      if (hashes !== undefined) found.push(hashes);
      else await counted(module, () => logByFiles(module));
    } catch (error) {
      failed(module, error);
    }
  }
  if (found.length === 0) return logged;
  try {
    await log.append(found);
    return logged + found.length;
  } catch {
    // One of them may contradict what stands: then that one fails alone.
    for (const each of found) await counted(each.module, () => log.append([each]));
    return logged;
  }
}
