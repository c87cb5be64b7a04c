import { type Steps, stepsPerTurn } from "../../../golang/steps.ts";
import { type Commit, parseCommit } from "./commit.ts";
import { GitFailure } from "./git-failure.ts";
import { idOrder } from "./id-order.ts";
import { idBytes, type ObjectFormat, type ObjectId } from "./object-id.ts";
import { rowOf } from "./pack-index.ts";

/** Commits and which comes from which: one row each, sorted by id. Plain data that can be given to a thread. */
export interface CommitGraph {
  readonly format: ObjectFormat;
  /** Ids one after the other. */
  readonly ids: Uint8Array;
  /** Committers' times, seconds since 1970 UTC. */
  readonly times: Float64Array;
  /** Where in `parents` those of a row begin; one more than there are rows. */
  readonly parentStarts: Uint32Array;
  /** Rows. Every parent of a commit is in the graph, but for those that the server itself does not have. */
  readonly parents: Uint32Array;
}

export function emptyGraph(format: ObjectFormat): CommitGraph {
  const none = { ids: new Uint8Array(), times: new Float64Array(), parents: new Uint32Array() };
  return { format, ...none, parentStarts: new Uint32Array(1) };
}

/** Bytes of memory that a graph takes. */
export function graphBytes({ ids, times, parentStarts, parents }: CommitGraph): number {
  return ids.byteLength + times.byteLength + parentStarts.byteLength + parents.byteLength;
}

/** The row of a commit, or -1. */
export function commitRow(graph: CommitGraph, id: ObjectId): number {
  if (id.length !== 2 * idBytes[graph.format]) return -1;
  return rowOf(graph, Buffer.from(id, "hex"));
}

/** The commit of a row, without its tree. */
export function commitAt(graph: CommitGraph, row: number): Omit<Commit, "tree"> {
  const parents = graph.parents.subarray(graph.parentStarts[row], graph.parentStarts[row + 1]);
  return {
    id: idAt(graph, row),
    parents: Array.from(parents, (parent) => idAt(graph, parent)),
    time: graph.times[row] ?? 0,
  };
}

export function idAt({ ids, format }: CommitGraph, row: number): ObjectId {
  const length = idBytes[format];
  return Buffer.from(ids.buffer, ids.byteOffset + row * length, length).toString("hex");
}

/** Rows whose ids begin with some hex digits, in order. */
export function* rowsBelow(graph: CommitGraph, prefix: string): Generator<number, void> {
  const length = idBytes[graph.format];
  const lowest = Buffer.from(prefix.padEnd(2 * length, "0"), "hex");
  let low = 0;
  for (let high = graph.times.length; low < high; ) {
    const middle = (low + high) >>> 1;
    if (Buffer.compare(graph.ids.subarray(middle * length, (middle + 1) * length), lowest) < 0) low = middle + 1;
    else high = middle;
  }
  for (; low < graph.times.length && idAt(graph, low).startsWith(prefix); low++) yield low;
}

/** Commits that no other of the graph has as a parent, the newest first. */
export function graphTips(graph: CommitGraph, most: number): ObjectId[] {
  const isParent = new Uint8Array(graph.times.length);
  for (const parent of graph.parents) isParent[parent] = 1;
  const tips = Array.from(isParent.keys()).filter((row) => isParent[row] === 0);
  tips.sort((a, b) => (graph.times[b] ?? 0) - (graph.times[a] ?? 0));
  return tips.slice(0, most).map((row) => idAt(graph, row));
}

/** Marks the rows that can be reached from `from`, themselves included; ends early when `isEnough` says so of one. */
export function* reached(
  graph: CommitGraph,
  from: Iterable<number>,
  isEnough: (row: number) => boolean = () => false,
): Steps<Uint8Array> {
  const marks = new Uint8Array(graph.times.length);
  const way: number[] = [];
  for (const row of from) {
    if (marks[row] === 0) way.push(row);
    marks[row] = 1;
  }
  for (let count = 1; ; count++) {
    const row = way.pop();
    if (row === undefined || isEnough(row)) return marks;
    const end = graph.parentStarts[row + 1] ?? 0;
    for (let i = graph.parentStarts[row] ?? 0; i < end; i++) {
      const parent = graph.parents[i] ?? 0;
      if (marks[parent] !== 0) continue;
      marks[parent] = 1;
      way.push(parent);
    }
    if (count % (10 * stepsPerTurn) === 0) yield;
  }
}

/** Takes in commits one by one, and makes a graph of them and of an older one. */
export class CommitCollector {
  readonly #format: ObjectFormat;
  readonly #most: number;
  readonly #idLength: number;
  #ids: Buffer = Buffer.alloc(1 << 16);
  #count = 0;
  readonly #times: number[] = [];
  readonly #parentCounts: number[] = [];
  #parentIds: Buffer = Buffer.alloc(1 << 16);
  #parents = 0;

  /** `most`: commits of the graph, beyond which it is "too-large". */
  constructor(format: ObjectFormat, most: number) {
    this.#format = format;
    this.#most = most;
    this.#idLength = idBytes[format];
  }

  /** Throws `GitFailure` "bad-answer" for one that is malformed. */
  add(id: Uint8Array, data: Uint8Array): void {
    if (this.#count === this.#most) throw tooMany(this.#most);
    const { parents, time } = parseCommit("", data, this.#format);
    this.#ids = put(this.#ids, this.#count++ * this.#idLength, id);
    this.#times.push(time);
    this.#parentCounts.push(parents.length);
    for (const parent of parents) {
      this.#parentIds = put(this.#parentIds, this.#parents++ * this.#idLength, Buffer.from(parent, "hex"));
      if (this.#parents > 4 * this.#most) throw tooMany(this.#most);
    }
  }

  /** Throws "missing-object" when a parent is nowhere, unless the server itself `isShallow`. */
  build(older: CommitGraph, isShallow: boolean): CommitGraph {
    const length = this.#idLength;
    const graph = this.#merged(older);
    const starts = new Uint32Array(graph.times.length + 1);
    const parents = new Uint32Array(older.parents.length + this.#parents);
    let end = 0;
    for (const [row, from] of graph.sources.entries()) {
      starts[row] = end;
      if (from < older.times.length) {
        for (let i = older.parentStarts[from] ?? 0; i < (older.parentStarts[from + 1] ?? 0); i++) {
          parents[end++] = graph.rows[older.parents[i] ?? 0] ?? 0;
        }
        continue;
      }
      const first = graph.parentStarts[from - older.times.length] ?? 0;
      for (let i = first; i < first + (this.#parentCounts[from - older.times.length] ?? 0); i++) {
        const parent = rowOf(graph, this.#parentIds.subarray(i * length, (i + 1) * length));
        if (parent >= 0) parents[end++] = parent;
        else if (!isShallow) throw new GitFailure("missing-object", "did not send a commit that others come from");
      }
    }
    starts[graph.times.length] = end;
    const { ids, times } = graph;
    return { format: this.#format, ids, times, parentStarts: starts, parents: parents.slice(0, end) };
  }

  /** Both sets of commits sorted, those that are in both once; `sources` says where a row was, `rows` where each went. */
  #merged(older: CommitGraph) {
    const length = this.#idLength;
    const total = older.times.length + this.#count;
    const all = Buffer.concat([older.ids, this.#ids.subarray(0, this.#count * length)]);
    const order = idOrder(all, total, length);
    const sources: number[] = [];
    const rows = new Uint32Array(total);
    for (const from of order) {
      const id = all.subarray(from * length, (from + 1) * length);
      const last = sources.at(-1);
      const isTwice = last !== undefined && id.equals(all.subarray(last * length, (last + 1) * length));
      if (!isTwice) sources.push(from);
      rows[from] = sources.length - 1;
    }
    if (sources.length > this.#most) throw tooMany(this.#most);
    const ids = new Uint8Array(sources.length * length);
    for (const [row, from] of sources.entries())
      ids.set(all.subarray(from * length, (from + 1) * length), row * length);
    const timeOf = (from: number) => older.times[from] ?? this.#times[from - older.times.length] ?? 0;
    const parentStarts = new Uint32Array(this.#count);
    for (let i = 1; i < this.#count; i++)
      parentStarts[i] = (parentStarts[i - 1] ?? 0) + (this.#parentCounts[i - 1] ?? 0);
    return { ids, times: Float64Array.from(sources, timeOf), sources, rows, parentStarts };
  }
}

function put(buffer: Buffer, at: number, bytes: Uint8Array): Buffer {
  const target = at + bytes.length <= buffer.length ? buffer : Buffer.concat([buffer], 2 * buffer.length);
  target.set(bytes, at);
  return target;
}

function tooMany(most: number): GitFailure {
  return new GitFailure("too-large", `has more than ${most} commits`);
}
