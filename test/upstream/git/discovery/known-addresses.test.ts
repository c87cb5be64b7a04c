import assert from "node:assert/strict";
import { test } from "node:test";
import { Absence } from "../../../../lambda/upstream/git/discovery/absence.ts";
import { KnownAddresses } from "../../../../lambda/upstream/git/discovery/known-addresses.ts";
import type { RepositoryAddress } from "../../../../lambda/upstream/git/discovery/repository-address.ts";

const address: RepositoryAddress = { kind: "git", url: "https://b.example/x", root: "a.example/x", directory: "" };

test("an address is found once for all who ask within a while, and nothing is made of a failure", async () => {
  let time = 0;
  const asked: string[] = [];
  const find = async (path: string) => {
    asked.push(path);
    if (path === "a.example/none") throw new Absence("nothing there");
    return address;
  };
  const known = new KnownAddresses({ find }, { now: () => time, freshFor: 60_000 });
  const found = await Promise.all(Array.from({ length: 8 }, () => known.find("a.example/x")));
  assert.deepEqual(
    found,
    Array.from({ length: 8 }, () => address),
  );
  time = 59_999;
  await known.find("a.example/x");
  assert.deepEqual(asked, ["a.example/x"]);
  time = 60_000;
  await known.find("a.example/x");
  assert.deepEqual(asked, ["a.example/x", "a.example/x"]);
  for (let i = 0; i < 2; i++) await assert.rejects(known.find("a.example/none"), { code: "absent" });
  assert.equal(asked.length, 4);
});

test("who gives up waits no longer, and the others get what they wait for", async () => {
  const { promise, resolve } = Promise.withResolvers<RepositoryAddress>();
  const known = new KnownAddresses({ find: () => promise }, { now: () => 0, freshFor: 1 });
  const leaving = new AbortController();
  const left = known.find("a.example/x", leaving.signal);
  const stays = known.find("a.example/x");
  leaving.abort(new Error("gone"));
  await assert.rejects(left, { message: "gone" });
  resolve(address);
  assert.deepEqual(await stays, address);
});
