import assert from "node:assert/strict";
import { test } from "node:test";
import { whole } from "../../../../lambda/upstream/git/attributes/whole.ts";
import { DirectUpstream } from "../../../../lambda/upstream/git/module/direct-upstream.ts";
import { RefListings } from "../../../../lambda/upstream/git/module/ref-listings.ts";
import { gitLimits } from "../../../../lambda/upstream/git/pack/git-limits.ts";
import { longestTurn } from "../../../support/longest-turn.ts";
import { MemoryGitRepository } from "../../../support/memory-git-repository.ts";

const unused = async () => assert.fail("no file is made");

test("a repository of 100,000 tags holds nobody up, whatever is asked of it", async () => {
  const repository = new MemoryGitRepository();
  const first = repository.add({ "go.mod": "module corp.example/r\n" });
  const head = repository.add({ "a.go": "package r\n" });
  for (let i = 0; i < 50_000; i++) {
    repository.tag(`v1.${i}.0`, first);
    repository.tag(`v1.0.1+a${i}`, head);
  }
  // A listing is copied in one go by the repository in memory.
  const listing = await repository.refs();
  repository.refs = async () => listing;
  const direct = new DirectUpstream({
    discovery: { find: async () => ({ kind: "git", url: repository.key, root: "corp.example/r", directory: "" }) },
    openRepository: () => repository,
    openProxy: () => assert.fail("no proxy is named"),
    listings: new RefListings({ now: () => 0, freshFor: 60_000 }),
    zips: { make: unused },
    files: { next: () => assert.fail("no file is made"), remove: unused, write: unused },
    limits: gitLimits,
  });
  const pseudo = `v1.0.2-0.20200913122740-${head.slice(0, 12)}`;
  const rows = [
    ["@v/list", 50_000, "v1.0.0"],
    ["@latest", 1, pseudo],
    [`@v/${head.slice(0, 9)}.info`, 1, pseudo],
    [`@v/${pseudo}.info`, 1, pseudo],
  ] as const;
  for (const [path, lines, found] of rows) {
    let text = "";
    const turn = await longestTurn(async () => {
      const { chunks } = await direct.get(`/corp.example/r/${path}`, { limit: 1 << 24 });
      text = (await whole(chunks)).toString();
    });
    assert.equal(text.trimEnd().split("\n").length, lines, path);
    assert.ok(text.includes(found), text.slice(0, 200));
    assert.ok(turn < 50, `${path}: ${turn} ms in one turn`);
  }
});
