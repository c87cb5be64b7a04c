import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { type BlockedVersion, changedBlocks, layOutBlocks } from "../access/block-list.ts";
import {
  type Ruling,
  type RulingKind,
  type RulingName,
  type RulingNote,
  type RulingPage,
  type RulingStore,
  refuses,
} from "../proxy/store/ruling-store.ts";
import { DynamoRulingStore } from "./dynamo-ruling-store.ts";
import { writeKeyValues } from "./key-value-pieces.ts";
import { type KeyValueClient, openKeyValues, withVersion } from "./key-value-store.ts";
import { WaitingBlocks } from "./waiting-blocks.ts";

export interface DeployedRulings {
  readonly rows: RulingStore;
  readonly waiting: WaitingBlocks;
  readonly keyValues: KeyValueClient;
  readonly storeArn: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * The rulings of a deployment: the rows are the truth, and the texts of CloudFront's KeyValueStore a copy of what they refuse.
 *
 * What changes is noted first, then the row, then the copy. A process that dies between leaves the note: the next writer, or the
 * schedule (`tellEdge`), tells the edge.
 */
export class DeployedRulingStore implements RulingStore {
  readonly #parts: DeployedRulings;

  constructor(parts: DeployedRulings) {
    this.#parts = parts;
  }

  /** Throws `CodedError` "blocks-full" where the edge has no room for it. */
  async set(ruling: Ruling, note?: RulingNote): Promise<void> {
    const { rows, waiting, now } = this.#parts;
    if (!refuses(ruling)) return await rows.set(ruling, note);
    layOutBlocks([...(await readBlocked(rows)), ruling], now());
    await note?.();
    await waiting.add(ruling);
    await rows.set(ruling);
    await tellEdge(this.#parts);
  }

  async remove(change: Parameters<RulingStore["remove"]>[0], note?: RulingNote): Promise<void> {
    const { rows, waiting } = this.#parts;
    if (!refuses(change)) return await rows.remove(change, note);
    await rows.remove(change, async () => {
      await note?.();
      await waiting.add(change);
    });
    await tellEdge(this.#parts);
  }

  /** All are noted before the first is written. */
  async change(sets: readonly Ruling[], removes: readonly RulingName[]): Promise<void> {
    const { rows, waiting } = this.#parts;
    for (const each of [...sets, ...removes]) if (refuses(each)) await waiting.add(each);
    await rows.change(sets, removes);
    await tellEdge(this.#parts);
  }

  last(name: RulingName): ReturnType<RulingStore["last"]> {
    return this.#parts.rows.last(name);
  }

  ofModule(module: string): Promise<readonly Ruling[]> {
    return this.#parts.rows.ofModule(module);
  }

  list(kind: RulingKind, limit: number, after?: RulingName): Promise<RulingPage> {
    return this.#parts.rows.list(kind, limit, after);
  }

  count(kind: RulingKind): Promise<number> {
    return this.#parts.rows.count(kind);
  }
}

/**
 * Writes what waits to the edge's store: two calls for one version, and one more for each 50 texts that differ. Who was slower
 * than another writer begins again, with what is in the rows then.
 */
export async function tellEdge({ rows, waiting, keyValues, storeArn, now }: DeployedRulings): Promise<void> {
  if ((await waiting.list()).length === 0) return;
  await withVersion(keyValues, storeArn, async (version) => {
    const told = await waiting.list();
    if (told.length === 0) return;
    await writeKeyValues(keyValues, storeArn, version, { puts: changedBlocks(await readBlocked(rows), told, now()) });
    await waiting.settle(told);
  });
}

/** All that is refused. */
export async function readBlocked(rows: Pick<RulingStore, "list">): Promise<readonly BlockedVersion[]> {
  const ofKind = async (kind: RulingKind) => {
    const all: Ruling[] = [];
    let after: RulingName | undefined;
    do {
      const page: RulingPage = await rows.list(kind, 10_000, after);
      all.push(...page.items);
      after = page.next;
    } while (after !== undefined);
    return all;
  };
  return (await Promise.all([ofKind("block"), ofKind("verdict")])).flat();
}

/** The rulings of a deployment, whose table is in its primary region. */
export function openRulings(
  { table, region, storeArn }: { readonly table: string; readonly region: string; readonly storeArn: string },
  now: () => number,
): DeployedRulings {
  const client = new DynamoDBClient({ region });
  const [rows, waiting] = [new DynamoRulingStore(client, table), new WaitingBlocks(client, table)];
  return { rows, waiting, keyValues: openKeyValues(), storeArn, now };
}
