import assert from "node:assert/strict";
import { test } from "node:test";
import { RefListings } from "../../../../lambda/upstream/git/module/ref-listings.ts";
import type { GitRepository } from "../../../../lambda/upstream/git/repository/git-repository.ts";
import type { RefListing } from "../../../../lambda/upstream/git/repository/ref-listing.ts";

// Which listing is good for whom: one that knows of a push must not get what was asked for before it.

function world() {
  let now = 0;
  const asked: { readonly at: number; readonly answer: () => void }[] = [];
  const refs = () =>
    new Promise<RefListing>((resolve) => {
      const at = now;
      asked.push({ at, answer: () => resolve({ at } as unknown as RefListing) });
    });
  const repository = { key: "r", refs } as unknown as GitRepository;
  const listings = new RefListings({ now: () => now, freshFor: 5_000 });
  const get = async (maxAge?: number) =>
    (await listings.get(repository, { maxAge })).listing as unknown as { readonly at: number };
  return { get, asked, pass: (by: number) => (now += by) };
}

test("a listing is good for five seconds, and not for who knows of something newer", async () => {
  const { get, asked, pass } = world();
  const first = get();
  asked[0]?.answer();
  assert.equal((await first).at, 0);
  pass(1_000);
  assert.equal((await get()).at, 0);
  assert.equal((await get(1_500)).at, 0);
  const newer = get(500);
  asked[1]?.answer();
  assert.equal((await newer).at, 1_000);
  assert.equal((await get(500)).at, 1_000);
});

test("a listing that was asked for before is waited for, and then asked for again", async () => {
  const { get, asked, pass } = world();
  const slow = get();
  pass(1_000);
  const newer = get(0);
  asked[0]?.answer();
  assert.equal((await slow).at, 0);
  while (asked.length < 2) await new Promise((resolve) => setImmediate(resolve));
  asked[1]?.answer();
  assert.equal((await newer).at, 1_000);
});
