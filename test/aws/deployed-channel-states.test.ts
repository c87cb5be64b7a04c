import assert from "node:assert/strict";
import { test } from "node:test";
import { accessValues, closingValues } from "../../lambda/access/deployed-values.ts";
import { DeployedChannelStates } from "../../lambda/aws/deployed-channel-states.ts";
import { readAccess } from "../../lambda/edge/access-settings.ts";
import { shownChannels } from "../../lambda/proxy/channels/channel-rows.ts";
import type { Channels } from "../../lambda/proxy/channels/config.ts";
import { FakeKeyValues } from "../support/fake-key-values.ts";

const channels: Channels = {
  canary: { share: 0.1, rewrite: [{ from: "a.b", to: "c.d" }] },
  next: { share: 0.25, header: { name: "x-next", value: "1" } },
};
const access = { anonymous: "public" as const, private: ["*.corp.example"], tenants: {}, channels };

function deployed() {
  const fake = new FakeKeyValues(new Map(accessValues(access)));
  return { fake, states: new DeployedChannelStates(fake.client, "arn") };
}

test("rolled back is the default in the edge's own row, and restored all that the row was", async () => {
  const { fake, states } = deployed();
  const before = fake.values.get("access") ?? "";
  await states.end("canary", 1_800_000_000);
  const value = readAccess(fake.values.get("access"));
  assert.deepEqual(value?.channels?.[0]?.slice(5), ["", 1_800_000_000]);
  assert.deepEqual([value?.anonymous, value?.private], ["public", "*.corp.example"]);
  assert.deepEqual(shownChannels(await states.read()), [
    { name: "canary", share: 0.1, rolledBack: 1_800_000_000 },
    { name: "next", share: 0.25, header: { name: "x-next", value: "1" } },
  ]);
  await states.end("canary", 1_900_000_000);
  assert.equal((await states.read())[0]?.[6], 1_800_000_000, "since the first time");
  await states.restore("canary");
  assert.equal(fake.values.get("access"), before);
});

test("two at the same moment lose nothing, and who may not write it down changes nothing", async () => {
  const { fake, states } = deployed();
  await Promise.all([states.end("canary", 1), states.end("next", 2)]);
  assert.deepEqual(
    (await states.read()).map((row) => row[6]),
    [1, 2],
  );
  const refuse = () => Promise.reject(new Error("no audit"));
  await assert.rejects(() => states.restore("canary", refuse), /no audit/);
  assert.equal((await states.read())[0]?.[6], 1);
  assert.equal(fake.calls.UpdateKeysCommand, 3, "two, and one that met a conflict");
});

test("a deployment keeps what was rolled back, at each of its steps, and knows a channel that comes", async () => {
  const { fake, states } = deployed();
  await states.end("canary", 5);
  const more = { ...access, channels: { fresh: {}, ...channels } };
  const closing = new Map([...fake.values, ...closingValues(fake.values, more, "i".repeat(43))]);
  assert.equal(readAccess(closing.get("access"))?.channels?.[0]?.[6], 5);
  const finished = accessValues(more, closing);
  assert.deepEqual(
    readAccess(finished.get("access"))?.channels?.map((row) => [row[0], row[6]]),
    [
      ["/~fresh", undefined],
      ["/~canary", 5],
      ["/~next", undefined],
    ],
  );
  const gone = readAccess(accessValues({ ...access, channels: {} }, closing).get("access"));
  assert.equal(gone?.channels, undefined);
});

test("more channels than the edge has room for stop a deployment with what to do", () => {
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`channel-number-${i}`, {}]));
  assert.throws(() => accessValues({ ...access, channels: many }), /channels: their \d+ bytes at the edge/);
});
