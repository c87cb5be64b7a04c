import { inTurns } from "../../../proxy/store/in-turns.ts";
import type { Commit } from "../pack/commit.ts";
import { type CommitGraph, commitAt, commitRow, idAt, reached, rowsBelow } from "../pack/commit-graph.ts";
import { GitFailure } from "../pack/git-failure.ts";
import type { ObjectId } from "../pack/object-id.ts";
import type { History } from "./git-repository.ts";

/** What a graph says when seen from the tips of one listing. It may have more than they reach: of branches that are gone. */
export class CommitHistory implements History {
  readonly #graph: CommitGraph;
  readonly #tips: readonly number[];
  #reached: Promise<Uint8Array> | undefined;

  /** Tips that are no commits are left out. */
  constructor(graph: CommitGraph, tips: Iterable<ObjectId>) {
    this.#graph = graph;
    this.#tips = Array.from(tips, (id) => commitRow(graph, id)).filter((row) => row >= 0);
  }

  async commit(id: ObjectId): Promise<Omit<Commit, "tree"> | undefined> {
    const row = commitRow(this.#graph, id);
    return row >= 0 && (await this.#reach())[row] === 1 ? commitAt(this.#graph, row) : undefined;
  }

  async isReachable(id: ObjectId): Promise<boolean> {
    const row = commitRow(this.#graph, id);
    return row >= 0 && (await this.#reach())[row] === 1;
  }

  async ancestorsAmong(candidates: Iterable<ObjectId>, id: ObjectId): Promise<ReadonlySet<ObjectId>> {
    const from = commitRow(this.#graph, id);
    if (from < 0) return new Set();
    const rows = Array.from(candidates, (each) => ({ id: each, row: commitRow(this.#graph, each) }));
    const wanted = new Set(rows.map(({ row }) => row).filter((row) => row >= 0));
    const marks = await inTurns(reached(this.#graph, [from], (row) => wanted.delete(row) && wanted.size === 0));
    return new Set(rows.filter(({ row }) => marks[row] === 1).map((each) => each.id));
  }

  async resolve(abbreviated: string): Promise<ObjectId | undefined> {
    if (!/^[0-9a-f]{7,64}$/.test(abbreviated)) return undefined;
    const marks = await this.#reach();
    let found: ObjectId | undefined;
    for (const row of rowsBelow(this.#graph, abbreviated)) {
      if (marks[row] !== 1) continue;
      if (found !== undefined) throw new GitFailure("ambiguous", "has several commits whose hashes begin so");
      found = idAt(this.#graph, row);
    }
    return found;
  }

  #reach(): Promise<Uint8Array> {
    this.#reached ??= inTurns(reached(this.#graph, this.#tips));
    return this.#reached;
  }
}
