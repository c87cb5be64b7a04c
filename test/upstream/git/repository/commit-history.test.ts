import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { CommitGraph } from "../../../../lambda/upstream/git/pack/commit-graph.ts";
import { CommitHistory } from "../../../../lambda/upstream/git/repository/commit-history.ts";
import { longestTurn } from "../../../support/longest-turn.ts";

test("a history with 100,000 tips holds nobody up", async () => {
  const count = 100_000;
  const ids = Array.from({ length: count }, (_, i) => createHash("sha1").update(`${i}`).digest("hex")).sort();
  const graph: CommitGraph = {
    format: "sha1",
    ids: Buffer.from(ids.join(""), "hex"),
    times: new Float64Array(count),
    // Each commit has the one of the row before as its parent.
    parentStarts: Uint32Array.from({ length: count + 1 }, (_, i) => Math.max(0, i - 1)),
    parents: Uint32Array.from({ length: count - 1 }, (_, i) => i),
  };
  const [first = "", second = "", third = ""] = ids;
  const unknown = "f".repeat(40);
  const turn = await longestTurn(async () => {
    const history = new CommitHistory(graph, [...ids.slice(1), unknown]);
    assert.equal(await history.isReachable(first), true);
    assert.deepEqual([...(await history.ancestorsAmong([...ids, unknown], second))], [first, second]);
    assert.equal((await history.ancestorsAmong(ids, ids.at(-1) ?? "")).size, count);
    assert.equal(await new CommitHistory(graph, [second]).isReachable(third), false);
  });
  assert.ok(turn < 50, `${turn} ms in one turn`);
});
