import { eachInTurns, inTurns } from "../../../proxy/store/in-turns.ts";
import type { Commit } from "../pack/commit.ts";
import { type CommitGraph, commitAt, commitRow, idAt, reached, rowsBelow } from "../pack/commit-graph.ts";
import { GitFailure } from "../pack/git-failure.ts";
import type { ObjectId } from "../pack/object-id.ts";
import type { History } from "./git-repository.ts";

/** What a graph says when seen from the tips of one listing. It may have more than they reach: of branches that are gone. */
export class CommitHistory implements History {
  readonly #graph: CommitGraph;
  readonly #tips: Iterable<ObjectId>;
  #reached: Promise<Uint8Array> | undefined;

  /** Tips that are no commits are left out. */
  constructor(graph: CommitGraph, tips: Iterable<ObjectId>) {
    this.#graph = graph;
    this.#tips = tips;
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
    const rows = new Map<number, ObjectId>();
    await eachInTurns(candidates, (each) => {
      const row = commitRow(this.#graph, each);
      if (row >= 0) rows.set(row, each);
    });
    const wanted = new Set<number>();
    await eachInTurns(rows.keys(), (row) => wanted.add(row));
    const marks = await inTurns(reached(this.#graph, [from], (row) => wanted.delete(row) && wanted.size === 0));
    const found = new Set<ObjectId>();
    await eachInTurns(rows, ([row, each]) => {
      if (marks[row] === 1) found.add(each);
    });
    return found;
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
    this.#reached ??= this.#walk();
    return this.#reached;
  }

  async #walk(): Promise<Uint8Array> {
    const rows: number[] = [];
    await eachInTurns(this.#tips, (id) => {
      const row = commitRow(this.#graph, id);
      if (row >= 0) rows.push(row);
    });
    return inTurns(reached(this.#graph, rows));
  }
}
