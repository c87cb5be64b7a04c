import type { FollowJob } from "./background-job.ts";

export interface CoalescedFollowsParts {
  readonly run: (job: FollowJob) => Promise<void>;
  /** Told of what failed; the sweep tries it again. */
  readonly failed: (job: FollowJob, error: unknown) => void;
}

/** Repositories that are followed at once: their hosts may be slow, and answers to clients come first. */
const atOnce = 4;

/** Branches of one repository that wait; who asks for more of them waits for their time to live. */
const mostBranches = 20;

/**
 * Repositories to follow, each once at a time however often it changes: what comes while it is followed is one more time, since
 * the refs that are listed then have all of it.
 */
export class CoalescedFollows {
  readonly #parts: CoalescedFollowsParts;
  /** By their modules; the longest waiting first. */
  readonly #waiting = new Map<string, FollowJob>();
  readonly #running = new Map<string, Promise<void>>();
  #stopped = false;

  constructor(parts: CoalescedFollowsParts) {
    this.#parts = parts;
  }

  add(job: FollowJob): void {
    const key = job.paths.join(" ");
    const branches = [...new Set([...(this.#waiting.get(key)?.branches ?? []), ...job.branches])];
    this.#waiting.set(key, { ...job, branches: branches.slice(0, mostBranches) });
    this.#next();
  }

  /** Begins nothing more; resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting.clear();
    await Promise.all(this.#running.values());
  }

  #next(): void {
    for (const [key, job] of this.#waiting) {
      if (this.#stopped || this.#running.size >= atOnce) return;
      if (this.#running.has(key)) continue;
      this.#waiting.delete(key);
      this.#running.set(key, this.#run(key, job));
    }
  }

  async #run(key: string, job: FollowJob): Promise<void> {
    try {
      await this.#parts.run(job);
    } catch (error) {
      this.#parts.failed(job, error);
    }
    this.#running.delete(key);
    this.#next();
  }
}
