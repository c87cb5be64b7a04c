import type { ChannelRow } from "../edge/access-settings.ts";
import type { Note } from "./token-store.ts";

/**
 * Which channels were rolled back: whatever was to be theirs is of the default channel from then on, within seconds and in every
 * process, until they are restored. A deployment or a start restores none, and a channel that the configuration no longer has
 * keeps its state for when it comes back.
 *
 * Rolling back again, and restoring what is not rolled back, change nothing. `note` is called before anything is changed, and
 * nothing is when it rejects.
 */
export interface ChannelStates {
  /** The channels as they are chosen now. */
  read(): Promise<readonly ChannelRow[]>;

  /** Rolls a channel back, `since` in Unix seconds. Of a name that is none nothing is kept. */
  end(name: string, since: number, note?: Note): Promise<void>;

  restore(name: string, note?: Note): Promise<void>;
}
