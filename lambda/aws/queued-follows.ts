import { createHash } from "node:crypto";
import type { FollowJob } from "../proxy/upkeep/background-job.ts";

export interface QueuedFollowsParts {
  /** True the first time that this id is used, in all functions; it may be forgotten from `until` on, in Unix seconds. */
  readonly use: (id: string, until: number) => Promise<boolean>;
  /** Puts a job into the queue, to be taken after so many seconds. */
  readonly send: (job: FollowJob, delaySeconds: number) => Promise<void>;
  /** Milliseconds. */
  readonly now: () => number;
}

/** Seconds within which two jobs for the same are enough: the first of them at once, the other when the time is over. */
const window = 2;

/** Seconds for which it is remembered that they were sent. */
const remembered = 3_600;

/** Repositories to follow, of a deployment: a burst of hooks is two jobs, and what was pushed last is in the second one. */
export class QueuedFollows {
  readonly #parts: QueuedFollowsParts;

  constructor(parts: QueuedFollowsParts) {
    this.#parts = parts;
  }

  async follow(paths: readonly string[], branches: readonly string[]): Promise<void> {
    const { use, send, now } = this.#parts;
    const seconds = now() / 1000;
    const number = Math.floor(seconds / window);
    const job: FollowJob = { kind: "follow", paths, branches };
    const id = `follow ${createHash("sha256").update(JSON.stringify(job)).digest("hex")} ${number}`;
    const until = Math.ceil(seconds) + remembered;
    if (await use(`${id} first`, until)) return await send(job, 0);
    if (await use(`${id} last`, until)) await send(job, Math.ceil((number + 1) * window - seconds));
  }
}
