import type { ChannelRow } from "../edge/access-settings.ts";
import { CodedError } from "../golang/coded-error.ts";
import { nameOf, type ShownChannel, shownChannels } from "../proxy/channels/channel-rows.ts";
import type { Actor, AuditedChanges, Happened } from "./audit/audited-changes.ts";
import type { ChannelStates } from "./channel-states.ts";

export interface AuditedChannelsParts {
  readonly states: ChannelStates;
  readonly changes: AuditedChanges;
  /** Unix seconds. */
  readonly now: () => number;
}

const [rollBack, restore] = ["channel.rollback", "channel.restore"];

/** modfront itself, where the answers of a channel fail. */
export function alarmActor(request: string): Actor {
  return { request, subject: "modfront", token: "", tenant: "", address: "", rule: "alarm" };
}

/** The changes of channels beside the configuration, none of which happens without its event in the audit log. */
export class AuditedChannels {
  readonly #parts: AuditedChannelsParts;

  constructor(parts: AuditedChannelsParts) {
    this.#parts = parts;
  }

  /** The channels, in the order of the configuration. */
  async list(): Promise<readonly ShownChannel[]> {
    return shownChannels(await this.#parts.states.read());
  }

  /**
   * Rolls a channel back; false where it is already, and then nothing is written down. Throws `CodedError` "no-such-channel" where
   * there is none of that name.
   */
  async rollBack(actor: Actor, name: string): Promise<boolean> {
    const { states, changes, now } = this.#parts;
    if (await this.#isEnded(name)) return false;
    await changes.run(actor, rollBack, (intend) => states.end(name, now(), () => intend({ target: name })));
    return true;
  }

  /** The other way round. */
  async restore(actor: Actor, name: string): Promise<boolean> {
    const { states, changes } = this.#parts;
    if (!(await this.#isEnded(name))) return false;
    await changes.run(actor, restore, (intend) => states.restore(name, () => intend({ target: name })));
    return true;
  }

  /** Whether an intended change of a channel has happened. */
  readonly happened: Happened = async ({ action, target }) => {
    if (action !== rollBack && action !== restore) return undefined;
    const row = await this.#find(target);
    return row && (row[6] !== undefined) === (action === rollBack);
  };

  async #isEnded(name: string): Promise<boolean> {
    const row = await this.#find(name);
    if (row === undefined)
      throw new CodedError("no-such-channel", "there is no channel of this name: modfront channel list shows them");
    return row[6] !== undefined;
  }

  async #find(name: string): Promise<ChannelRow | undefined> {
    return (await this.#parts.states.read()).find((row) => nameOf(row) === name);
  }
}
