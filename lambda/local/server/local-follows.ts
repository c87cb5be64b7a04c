import { AsyncLocalStorage } from "node:async_hooks";
import type { Config } from "../../config/config.ts";
import type { Clock } from "../../proxy/store/clock.ts";
import { asServedError, type ServedError } from "../../proxy/store/served-error.ts";
import type { TreeHeadStore } from "../../proxy/store/tree-head-store.ts";
import type { FollowJob } from "../../proxy/upkeep/background-job.ts";
import { CoalescedFollows } from "../../proxy/upkeep/coalesced-follows.ts";
import { type FollowParts, follow } from "../../proxy/upkeep/follow.ts";
import { startRepositorySweep } from "../../proxy/upkeep/repository-sweep.ts";
import { followedRepositories } from "../../webhooks/followed-repositories.ts";

export interface LocalFollowsParts {
  readonly clock: Clock;
  readonly heads: TreeHeadStore;
  readonly failed: (error: ServedError) => void;
  /** What modules are brought up to date by, once it is there. */
  readonly upkeep: () => FollowParts;
}

/** Milliseconds that what is under way has to come to its end when the server stops. */
const lastWait = 2_000;

/** Brings modules up to date whose repositories have changed: those that hooks tell of, and now and then all. */
export class LocalFollows {
  readonly #parts: LocalFollowsParts;
  readonly #follows: CoalescedFollows;
  #stopSweep = () => {};

  constructor(parts: LocalFollowsParts) {
    this.#parts = parts;
    // What somebody's request told of is no part of that request.
    const outside = AsyncLocalStorage.snapshot();
    this.#follows = new CoalescedFollows({
      run: (job) => outside(() => follow(parts.upkeep(), job)),
      failed: (_, error) => parts.failed(asServedError(error)),
    });
  }

  readonly follow = (job: FollowJob): void => this.#follows.add(job);

  startSweep({ webhooks, sweep }: Pick<Config, "webhooks" | "sweep">): void {
    const { clock, heads } = this.#parts;
    const repositories = followedRepositories(webhooks);
    const sweeping = { repositories, minutes: sweep.minutes, heads, clock, follow: this.follow, random: Math.random };
    this.#stopSweep = startRepositorySweep(sweeping);
  }

  async stop(): Promise<void> {
    this.#stopSweep();
    await Promise.race([this.#follows.stop(), this.#parts.clock.sleep(lastWait)]);
  }
}
