import { UpdateKeysCommand } from "@aws-sdk/client-cloudfront-keyvaluestore";
import type { ChannelStates } from "../access/channel-states.ts";
import { packAccess } from "../access/packed-settings.ts";
import type { Note } from "../access/token-store.ts";
import { type ChannelRow, readAccess } from "../edge/access-settings.ts";
import { CodedError } from "../golang/coded-error.ts";
import { channelSince, nameOf } from "../proxy/channels/channel-rows.ts";
import { noSuchStack, readPlaces } from "./deployed-places.ts";
import { type KeyValueClient, openKeyValues, readKeyValue, withVersion } from "./key-value-store.ts";

/**
 * Which channels of a deployment were rolled back: it is in the edge's own rows, and nowhere else, so that what is decided is what
 * is shown. A deployment writes those rows anew and keeps it. A new, empty store has none of it, as it has no tokens.
 */
export class DeployedChannelStates implements ChannelStates {
  readonly #keyValues: KeyValueClient;
  readonly #storeArn: string;

  constructor(keyValues: KeyValueClient, storeArn: string) {
    this.#keyValues = keyValues;
    this.#storeArn = storeArn;
  }

  async read(): Promise<readonly ChannelRow[]> {
    return (await this.#access()).channels ?? [];
  }

  async end(name: string, since: number, note?: Note): Promise<void> {
    await note?.();
    await this.#change(name, since);
  }

  async restore(name: string, note?: Note): Promise<void> {
    await note?.();
    await this.#change(name, undefined);
  }

  async #access() {
    const access = readAccess(await readKeyValue(this.#keyValues, this.#storeArn, "access"));
    if (access === undefined) throw new CodedError("tokens-unreadable", "the key value access is damaged");
    return access;
  }

  /** One write, on condition that nobody else wrote meanwhile. */
  #change(name: string, since: number | undefined): Promise<void> {
    return withVersion(this.#keyValues, this.#storeArn, async (IfMatch) => {
      const access = await this.#access();
      const rows = access.channels ?? [];
      const changed = rows.map((row) =>
        nameOf(row) === name ? channelSince(row, row[6] && since ? row[6] : since) : row,
      );
      const Puts = [{ Key: "access", Value: packAccess({ ...access, channels: changed }) }];
      await this.#keyValues.send(new UpdateKeysCommand({ KvsARN: this.#storeArn, IfMatch, Puts }));
    });
  }
}

/** Opens those of a deployment by its name, as `openDeployedTokens` does. */
export async function openChannelStates(name: string, controlFunction: string): Promise<ChannelStates> {
  const { MODFRONT_KEY_VALUE_STORE: storeArn } = await readPlaces(name, controlFunction);
  if (!storeArn) throw noSuchStack(name);
  return new DeployedChannelStates(openKeyValues(), storeArn);
}
