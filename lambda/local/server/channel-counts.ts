import { type ChannelCount, countsOf, defaultChannel, FailureWatch } from "../../proxy/channels/failure-rule.ts";
import type { Counter, Metrics } from "./metrics.ts";

export interface ChannelCountsParts {
  readonly metrics: Metrics;
  /** The names of the channels. */
  readonly channels: readonly string[];
  /** Rolls a channel back; false where it is already. */
  readonly rollBack: (name: string) => Promise<boolean>;
  readonly warn: (line: string) => void;
  /** Milliseconds. */
  readonly now: () => number;
}

const counts = ["requests", "refusals", "failures"] as const satisfies readonly ChannelCount[];

/** Counts the answers of each channel and of the default one, and rolls one back whose answers fail. */
export class ChannelCounts {
  readonly #parts: ChannelCountsParts;
  readonly #counters = new Map<string, Readonly<Record<ChannelCount, Counter>>>();
  readonly #watches = new Map<string, FailureWatch>();
  /** Being rolled back. */
  readonly #ending = new Set<string>();

  constructor(parts: ChannelCountsParts) {
    this.#parts = parts;
    for (const channel of [defaultChannel, ...parts.channels]) {
      const counter = (count: ChannelCount) => parts.metrics.counter(`modfront_channel_${count}_total`, { channel });
      const own = counts.map((count) => [count, counter(count)] as const);
      this.#counters.set(channel, Object.fromEntries(own) as Record<ChannelCount, Counter>);
    }
    for (const channel of parts.channels) this.#watches.set(channel, new FailureWatch());
  }

  /** Counts an answer; `channel` is empty for the default one. */
  count(channel: string, status: number): void {
    const counters = this.#counters.get(channel || defaultChannel);
    if (counters === undefined) return;
    for (const count of countsOf(status)) counters[count].value++;
    if (this.#watches.get(channel)?.isOver(status, this.#parts.now())) void this.#end(channel);
  }

  async #end(channel: string): Promise<void> {
    if (this.#ending.has(channel)) return;
    this.#ending.add(channel);
    const { rollBack, warn } = this.#parts;
    try {
      if (await rollBack(channel))
        warn(`channel ${channel} is rolled back, because its requests fail: modfront channel restore ${channel}`);
    } catch {
      warn(`channel ${channel} fails and cannot be rolled back`);
    } finally {
      // Failing on, because it could not be or because it was restored, it is looked at again.
      this.#ending.delete(channel);
    }
  }
}
