import assert from "node:assert/strict";
import { parseTree, storedHashes, treeHash } from "../../lambda/golang/tlog.ts";
import type { OwnLog } from "../../lambda/proxy/log/own-log.ts";
import { usualPace } from "../../lambda/proxy/log/pace.ts";
import { recordText } from "../../lambda/proxy/log/record-text.ts";
import type { LogSigner } from "../../lambda/proxy/store/log-signer.ts";
import { ServedError } from "../../lambda/proxy/store/served-error.ts";
import { recordOf } from "./log-records.ts";
import { LogWorld } from "./log-world.ts";

// Many processes, each call of whose table, files and key may fail, land without an answer, or take its time, by chance. What
// must hold then: each record has one number, who was told a number was told the right one, and whatever was ever signed
// is the beginning of the log.

const processes = 4;
const records = 12;
/** Of each process: it is replaced by another, as after kill -9, so often. */
const lives = 2;

/** Chance that a seed makes again: mulberry32. */
function chanceOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const partly: ReadonlySet<string | symbol> = new Set(["rows", "range", "numbers"]);

/** Its calls come late, fail or lose their answer, one in `odds` each. */
function unreliable<T extends object>(adapter: T, chance: () => number, odds: number): T {
  return new Proxy(adapter, {
    get(target, method) {
      const value: unknown = Reflect.get(target, method, target);
      if (typeof value !== "function" || method === "keys")
        return typeof value === "function" ? value.bind(target) : value;
      return async (...args: unknown[]) => {
        await turns(Math.floor(chance() * 4));
        const fate = chance() * odds;
        if (fate < 1) throw new ServedError("store-failed", "it failed");
        const result: unknown = await Reflect.apply(value, target, args);
        await turns(Math.floor(chance() * 4));
        if (fate < 2) throw new ServedError("store-failed", "the answer was lost");
        // As a read that overlaps a commit: something of what is there is not seen yet.
        const isLate = Array.isArray(result) && result.length > 0 && partly.has(method) && fate < 4;
        return isLate ? result.with(Math.floor(chance() * result.length), undefined) : result;
      };
    },
  });
}

/** The numbers that callers were told, by record. */
type Told = Map<number, Set<bigint>>;

async function live(world: LogWorld, log: OwnLog, chance: () => number, told: Told): Promise<void> {
  const mine = Array.from({ length: 6 }, () => Math.floor(chance() * records));
  const work = mine.map(async (i) => {
    const numbers = await log.append([recordOf(i)]);
    for (const number of numbers) {
      told.get(i)?.add(number);
      assert.ok((world.memory.signed.get(world.signer.name)?.size ?? 0n) > number, "a signed head covers it");
    }
  });
  work.push(log.enqueue([recordOf(Math.floor(chance() * records))]));
  work.push(log.drain().then(() => undefined));
  for (const end of await Promise.allSettled(work)) {
    if (end.status === "fulfilled") continue;
    const { code } = end.reason as { code?: string };
    assert.ok(["store-failed", "log-unsigned", "log-busy"].includes(code ?? ""), String(end.reason?.stack));
  }
}

/** Throws when something does not hold; the same seed is the same schedule. */
export async function runSchedule(seed: number): Promise<void> {
  const world = new LogWorld();
  const chance = chanceOf(seed);
  // Every other log has copies of its records, from which it is made anew in the end.
  const copies = seed % 2 === 1;
  const odds = 8 + chance() * 40;
  const told: Told = new Map(Array.from({ length: records }, (_, i) => [i, new Set()]));
  const open = () => {
    const table = unreliable(world.memory, chance, odds);
    const sign = unreliable({ sign: (message: Uint8Array) => world.signer.sign(message) }, chance, odds).sign;
    const signer = Object.assign(Object.create(world.signer) as LogSigner, { sign });
    const files = unreliable(world.files, chance, odds);
    const pace = { ...usualPace, random: chance };
    const clock = { sleep: (milliseconds: number) => turns(Math.min(milliseconds, 6)) };
    return world.open({ store: table, pending: table, heads: table, files, signer, clock, pace, copies });
  };
  await Promise.all(
    Array.from({ length: processes }, async () => {
      for (let life = 0; life < lives; life++) await live(world, open(), chance, told);
    }),
  );
  const last = world.open({ copies });
  await last.append(Array.from({ length: records }, (_, i) => recordOf(i)));
  await last.drain();
  await check(world, told);
  if (!copies) return;
  const { memory } = world;
  for (const rows of [memory.placed, memory.numbered, memory.signed]) rows.clear();
  memory.kept = undefined;
  assert.deepEqual(await world.open({ copies }).restore(), { kind: "restored", records: BigInt(records) });
  await check(world, told);
}

async function check(world: LogWorld, told: Told): Promise<void> {
  const { size = 0n } = world.memory.kept ?? {};
  assert.equal(size, BigInt(records));
  const stored: Uint8Array[] = [];
  const read = async (indexes: readonly bigint[]) => indexes.map((index) => stored[Number(index)] as Uint8Array);
  const texts: string[] = [];
  for (let n = 0n; n < size; n++) {
    const text = world.memory.placed.get(`0 ${n}`)?.text ?? new Uint8Array();
    texts.push(Buffer.from(text).toString());
    stored.push(...(await storedHashes(n, text, read)));
  }
  assert.equal(new Set(texts).size, records, "each record is there once");
  for (const [i, numbers] of told) {
    const right = BigInt(texts.indexOf(recordText(recordOf(i)).toString()));
    for (const number of numbers) assert.equal(number, right, `record ${i}`);
  }
  for (const text of world.signer.signed) {
    const { n, hash } = parseTree(text);
    assert.deepEqual(Buffer.from(hash), Buffer.from(await treeHash(n, read)), `what was signed of ${n} records`);
  }
  assert.equal((await world.signedTree())?.n, size);
  assert.equal(world.memory.waiting.size, 0);
}
