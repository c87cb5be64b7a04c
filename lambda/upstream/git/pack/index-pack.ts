import { GitFailure } from "./git-failure.ts";
import type { GitLimits } from "./git-limits.ts";
import { compareIds, idOrder } from "./id-order.ts";
import { idBytes, type ObjectFormat } from "./object-id.ts";
import { type OutsideObjects, resolveDeltas } from "./pack-deltas.ts";
import { PackFile } from "./pack-file.ts";
import type { PackIndex } from "./pack-index.ts";
import { type ObjectVisitor, type PackScan, scanPack } from "./pack-scan.ts";

export interface IndexOptions {
  readonly format: ObjectFormat;
  readonly limits: GitLimits;
  readonly visit?: ObjectVisitor;
  /** Objects that deltas may be made of beside those in the packfile (a "thin" one); none when left out. */
  readonly outside?: OutsideObjects;
}

/**
 * Verifies a packfile that a server sent and says what is in it: its own hash, and of each object the id, computed from
 * its bytes, deltas applied. Work for a thread; what may be large is never in memory as a whole.
 *
 * Throws `GitFailure` "bad-answer" or "too-large" for everything that a packfile can be beside a good one.
 */
export async function indexPack(path: string, options: IndexOptions): Promise<PackIndex> {
  const { format, limits, visit = () => {}, outside = () => undefined } = options;
  const file = new PackFile(path, idBytes[format]);
  try {
    const all = { format, limits, visit, outside, budget: { left: limits.inflatedBytes } };
    const scan = await scanPack(file, all);
    resolveDeltas(file, scan, all);
    return sorted(scan, idBytes[format]);
  } finally {
    file.close();
  }
}

function sorted({ count, ids, offsets, sizes, types }: PackScan, idLength: number): PackIndex {
  const order = idOrder(ids, count, idLength);
  const index = {
    ids: new Uint8Array(ids.length),
    offsets: Float64Array.from(order, (i) => offsets[i] ?? 0),
    sizes: Float64Array.from(order, (i) => sizes[i] ?? 0),
    types: Uint8Array.from(order, (i) => types[i] ?? 0),
  };
  for (const [row, i] of order.entries()) {
    index.ids.set(ids.subarray(i * idLength, (i + 1) * idLength), row * idLength);
    if (row > 0 && compareIds(index.ids, row * idLength, index.ids, (row - 1) * idLength, idLength) === 0) {
      throw new GitFailure("bad-answer", "sent a packfile with an object in it twice");
    }
  }
  return index;
}
