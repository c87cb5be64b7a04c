import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import { generateKey, newVerifier } from "../../lambda/golang/note.ts";
import {
  composeLookup,
  parseLookup,
  recordedHashes,
  SumdbClient,
  SumdbForkError,
  type SumdbLookup,
  type SumdbOps,
} from "../../lambda/golang/sumdb.ts";
import { cutTile, parseTilePath } from "../../lambda/golang/tile.ts";
import { ChecksumDatabase } from "../support/checksum-database.ts";
import { askXmod, skipWithoutGo } from "../support/xmod.ts";

const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const string = (data: Uint8Array | undefined) => (data === undefined ? undefined : Buffer.from(data).toString());

/** What several clients share: stored tiles and the kept head. */
class Store {
  readonly tiles = new Map<string, Uint8Array>();
  head: Uint8Array | undefined;
  /** Called before each write with what is written; may throw. */
  beforeWrite: (path: string) => void = () => {};

  ops(database: Pick<ChecksumDatabase, "get">): SumdbOps {
    return {
      readRemote: (path, limit) => database.get(path, limit),
      readTile: async (path) => this.tiles.get(path),
      writeTile: async (path, data) => {
        this.beforeWrite(path);
        this.tiles.set(path, data);
      },
      readHead: async () => this.head,
      replaceHead: async (old, next) => {
        this.beforeWrite("head");
        if (string(old) !== string(this.head)) return false;
        this.head = next;
        return true;
      },
    };
  }
}

function clientOf(database: ChecksumDatabase, store: Store): SumdbClient {
  return new SumdbClient({ verifier: newVerifier(database.vkey), ops: store.ops(database) });
}

/** A database with 1000 records of example.com/m, v1.0.0 to v1.999.0, and a client that looked one of them up. */
async function warmed() {
  const database = new ChecksumDatabase();
  await database.add("example.com/m", 1000);
  const store = new Store();
  const client = clientOf(database, store);
  await client.lookup("example.com/m", "v1.7.0");
  database.requests.length = 0;
  return { database, store, client };
}

test("lookup returns the proven record and keeps the head and the tiles of its proof", async () => {
  const database = new ChecksumDatabase();
  await database.add("example.com/Upper", 1000);
  const store = new Store();
  const { id, record, head } = await clientOf(database, store).lookup("example.com/Upper", "v1.300.0");
  assert.equal(id, 300n);
  assert.deepEqual(recordedHashes(record, "example.com/Upper", "v1.300.0"), { zip: ["h1:zip="], mod: ["h1:mod="] });
  assert.equal(head.tree.n, 1000n);
  assert.deepEqual([store.head, head.signedNote], [await database.signedHead(), await database.signedHead()]);
  const tiles = ["tile/8/0/001", "tile/8/0/003.p/232", "tile/8/1/000.p/3"];
  assert.deepEqual([...store.tiles.keys()].sort(), tiles);
  assert.deepEqual(database.requests.toSorted(), ["/lookup/example.com/!upper@v1.300.0", ...tiles.map((t) => `/${t}`)]);
});

test("all tiles of head and record are asked for at once, and only those not yet known", async () => {
  const { database, store } = await warmed();
  await database.add("example.com/m", 200, 1000);
  const steps: string[][] = [];
  let waiting: (() => void)[] = [];
  const slow = {
    async get(path: string, limit: number) {
      if (waiting.length === 0) {
        steps.push([]);
        setTimeout(() => {
          const arrived = waiting;
          waiting = [];
          for (const answer of arrived) answer();
        }, 20);
      }
      steps.at(-1)?.push(path);
      await new Promise<void>((resolve) => waiting.push(resolve));
      return database.get(path, limit);
    },
  };
  const client = new SumdbClient({ verifier: newVerifier(database.vkey), ops: store.ops(slow) });
  await client.lookup("example.com/m", "v1.600.0");
  assert.deepEqual(
    steps.map((step) => step.toSorted()),
    [
      ["/lookup/example.com/m@v1.600.0"],
      ["/tile/8/0/002", "/tile/8/0/003", "/tile/8/0/004.p/176", "/tile/8/1/000.p/4"],
    ],
  );
  steps.length = 0;
  await Promise.all([client.lookup("example.com/m", "v1.601.0"), client.lookup("example.com/m", "v1.601.0")]);
  assert.deepEqual(steps, [["/lookup/example.com/m@v1.601.0"]]);
});

test("concurrent lookups share their tiles", async () => {
  const database = new ChecksumDatabase();
  await database.add("example.com/m", 1000);
  const client = clientOf(database, new Store());
  await Promise.all([1, 2, 3, 4, 260].map((i) => client.lookup("example.com/m", `v1.${i}.0`)));
  const tiles = database.requests.filter((path) => path.startsWith("/tile"));
  assert.deepEqual(tiles.toSorted(), ["/tile/8/0/000", "/tile/8/0/001", "/tile/8/0/003.p/232", "/tile/8/1/000.p/3"]);
});

/** A generator of numbers below `n`, the same in every run. */
function randomNumbers(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

/** Lets a log grow in random steps beyond two levels of tiles, and looks a few random records up at each size. */
async function grownLog(seed: number) {
  const random = randomNumbers(seed);
  const database = new ChecksumDatabase();
  const store = new Store();
  const clients = [clientOf(database, store), clientOf(database, store)];
  const found = new Map<string, SumdbLookup>();
  for (let step = 0; step < 25; step++) {
    await database.add("example.com/m", 1 + random(step % 5 === 4 ? 3000 : 70), database.size);
    for (let i = 0; i < 1 + random(3); i++) {
      const version = `v1.${random(3) === 0 ? database.size - 1 - random(5) : random(database.size)}.0`;
      const client = clients[random(2)] as SumdbClient;
      if (found.has(version) || version.includes("-")) continue;
      found.set(version, await client.lookup("example.com/m", version));
    }
  }
  assert.ok(database.size > 5000 && found.size > 20);
  const newest = await clients[0]?.head();
  assert.ok(newest !== undefined);
  return { database, store, found, newest };
}

/** Stored tiles without the partial ones at whose place a full one is. */
function withoutOvertaken(tiles: ReadonlyMap<string, Uint8Array>): Map<string, Uint8Array> {
  return new Map([...tiles].filter(([path]) => !path.includes(".p/") || !tiles.has(path.replace(/\.p\/.*/, ""))));
}

test("with the database down, an empty client verifies everything looked up before, from stored tiles", async () => {
  for (const seed of [1, 2, 3]) {
    const { database, store, found, newest } = await grownLog(seed);
    for (const tiles of [store.tiles, withoutOvertaken(store.tiles)]) {
      const mirror = {
        async get(path: string) {
          const version = /^\/lookup\/example.com\/m@(.*)$/.exec(path)?.[1];
          const lookup = version === undefined ? undefined : found.get(version);
          const answer = lookup === undefined ? tiles.get(path.slice(1)) : composeLookup(lookup, newest);
          if (answer === undefined) throw new CodedError("sumdb-not-found", `${path} is not stored`);
          return answer;
        },
      };
      const empty = new SumdbClient({ verifier: newVerifier(database.vkey), ops: new Store().ops(mirror) });
      for (const [version, { id, record }] of found) {
        assert.deepEqual(await empty.lookup("example.com/m", version), { id, record, head: newest }, `seed ${seed}`);
      }
    }
  }
});

test("with the database down, x/mod's client verifies the same, whichever head came with a record", {
  skip: skipWithoutGo,
}, async () => {
  for (const seed of [4, 5]) {
    const { database, store, found, newest } = await grownLog(seed);
    const versions = [...found.keys()];
    const lines = versions.map((version) => [`example.com/m ${version} h1:zip=`]);
    const dir = mkdtempSync(join(tmpdir(), "modfront-sumdb-"));
    const write = (path: string, data: Uint8Array) => {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), data);
    };
    for (const [path, data] of store.tiles) write(path, data);
    const ask = { fn: "sumdb.lookups", args: [dir, database.vkey, ...versions.map((v) => `example.com/m@${v}`)] };
    for (const [version, lookup] of found) write(`lookup/example.com/m@${version}`, composeLookup(lookup, newest));
    assert.deepEqual(await askXmod([ask]), [{ ok: lines }]);
    // As they were composed when they were looked up: every head in between is on the way.
    for (const [version, lookup] of found) write(`lookup/example.com/m@${version}`, composeLookup(lookup, lookup.head));
    const reversed = { fn: ask.fn, args: [...ask.args.slice(0, 2), ...ask.args.slice(2).reverse()] };
    assert.deepEqual(await askXmod([ask, reversed]), [{ ok: lines }, { ok: lines.toReversed() }]);
    rmSync(join(dir, "tile/8/1"), { recursive: true });
    assert.notEqual((await askXmod([ask]))[0]?.err, undefined);
    rmSync(dir, { recursive: true });
  }
});

test("a wider tile answers for a partial one, from the store and from the database", async () => {
  const { database, store, client } = await warmed();
  const full = await client.tile("tile/8/0/001");
  database.requests.length = 0;
  const part = await client.tile("tile/8/0/001.p/9");
  assert.deepEqual(part, cutTile(parseTilePath("tile/8/0/001.p/9"), full));
  assert.deepEqual(await client.tile("tile/8/0/003.p/100"), (await client.tile("tile/8/0/003.p/232")).slice(0, 3200));
  assert.deepEqual(database.requests, []);
  // A database that has no partial tile 3 any more: while tile 3 is not full, it lacks something of its own log.
  store.tiles.clear();
  const lacking = (path: string, answer: Uint8Array | undefined) => (path.includes("/0/003.p/") ? undefined : answer);
  database.tamper = lacking;
  await assert.rejects(clientOf(database, store).tile("tile/8/0/003.p/232"), { code: "sumdb-bad-tile" });
  await database.add("example.com/m", 24, 1000);
  const data = await clientOf(database, store).tile("tile/8/0/003.p/232");
  assert.deepEqual(Buffer.from(data), Buffer.from(await tileOf(database, "tile/8/0/003.p/232")));
});

async function tileOf(database: ChecksumDatabase, path: string): Promise<Uint8Array> {
  database.tamper = (_, answer) => answer;
  return new Uint8Array(await database.get(`/${path}`, 100_000));
}

test("every tile of the head can be had and is verified; records too", async () => {
  const { database, client } = await warmed();
  for (const path of [
    "tile/8/0/000",
    "tile/8/0/003.p/1",
    "tile/8/1/000.p/3",
    "tile/8/data/000",
    "tile/8/data/003.p/7",
  ]) {
    assert.deepEqual(Buffer.from(await client.tile(path)), Buffer.from(await tileOf(database, path)), path);
  }
  const beyond = ["tile/8/0/003.p/233", "tile/8/0/004.p/1", "tile/8/1/000.p/4", "tile/8/2/000.p/1", "tile/8/data/003"];
  database.requests.length = 0;
  for (const path of [...beyond, "tile/8/63/000", "tile/8/9007199254740991/000", "tile/8/0/x999/x999/999"]) {
    await assert.rejects(client.tile(path), { code: "sumdb-beyond-head" }, path);
  }
  await assert.rejects(client.tile("tile/7/0/000"), { code: "sumdb-not-found" });
  await assert.rejects(client.tile("tile/8/0/0"), { code: "tile-malformed-path" });
  await assert.rejects(clientOf(database, new Store()).tile("tile/8/0/000"), { code: "sumdb-beyond-head" });
  assert.deepEqual(database.requests, []);
});

const flip = (data: Uint8Array, at: number) => data.map((byte, i) => (i === at ? byte ^ 1 : byte));

/** A database that changes the answers whose path begins so, what a client then says, and nothing of it stored. */
const tampered: readonly (readonly [
  prefix: string,
  change: (answer: Uint8Array) => Uint8Array | undefined,
  code: string,
])[] = [
  ["/tile/8/0/001", (answer) => flip(answer, 0), "sumdb-bad-tile"],
  ["/tile/8/0/001", (answer) => flip(answer, 8191), "sumdb-bad-tile"],
  ["/tile/8/0/001", (answer) => answer.slice(32), "sumdb-bad-tile"],
  ["/tile/8/0/001", () => new Uint8Array(0), "sumdb-bad-tile"],
  ["/tile/8/0/001", () => undefined, "sumdb-bad-tile"], // not "sumdb-not-found": the module is known
  ["/tile/8/0/001", (answer) => new Uint8Array([...answer, 0]), "too-large"],
  ["/tile/8/0/004", (answer) => flip(answer, 40), "sumdb-bad-tile"],
  ["/tile/8/1/000", (answer) => flip(answer, 100), "sumdb-bad-tile"],
  ["/lookup", () => undefined, "sumdb-not-found"],
  ["/lookup", () => new Uint8Array(0), "sumdb-bad-record"],
  ["/lookup", () => bytes("<html>"), "sumdb-bad-record"],
  ["/lookup", (answer) => bytes(`${string(answer)}`.replace("300\n", "301\n")), "sumdb-bad-record"],
  ["/lookup", (answer) => bytes(`${string(answer)}`.replace("300\n", "1100\n")), "sumdb-bad-record"],
  ["/lookup", (answer) => bytes(`${string(answer)}`.replace("300\n", "99999999999\n")), "sumdb-bad-record"],
  ["/lookup", (answer) => bytes(`${string(answer)}`.replace("h1:zip=", "h1:Zip=")), "sumdb-bad-record"],
  ["/lookup", (answer) => bytes(`${string(answer)}`.replaceAll("/m v1.300.0", "/m v1.301.0")), "sumdb-bad-record"],
  ["/lookup", (answer) => bytes(`${string(answer)}`.replace("\n1200\n", "\n1300\n")), "sumdb-bad-note"],
  ["/lookup", (answer) => answer.slice(0, -1), "sumdb-bad-note"],
  ["/lookup", (answer) => answer.slice(0, string(answer)?.indexOf("go.sum")), "sumdb-bad-note"],
  ["/lookup", () => new Uint8Array(1_000_001), "too-large"],
];

test("a forged or truncated answer is refused, nothing of it is kept, and a right one is taken afterwards", async () => {
  const { database, store, client } = await warmed();
  await database.add("example.com/m", 200, 1000);
  const before = { head: store.head, tiles: [...store.tiles.keys()] };
  for (const [i, [prefix, change, code]] of tampered.entries()) {
    database.tamper = (path, answer) => (path.startsWith(prefix) && answer ? change(answer) : answer);
    await assert.rejects(client.lookup("example.com/m", "v1.300.0"), { code }, `row ${i}: ${prefix} ${code}`);
    assert.deepEqual({ head: store.head, tiles: [...store.tiles.keys()] }, before, `row ${i}`);
  }
  database.tamper = (_, answer) => answer;
  assert.equal((await client.lookup("example.com/m", "v1.300.0")).head.tree.n, 1200n);
});

test("the true record of another module is refused", async () => {
  const { database, client } = await warmed();
  const other = await database.get("/lookup/example.com/m@v1.5.0", 10_000);
  database.tamper = (path, answer) => (path.startsWith("/lookup") ? other : answer);
  await assert.rejects(client.lookup("example.com/m", "v1.6.0"), { code: "sumdb-bad-record" });
});

test("a forged data tile is refused and not stored", async () => {
  const { database, store, client } = await warmed();
  const changes: readonly ((answer: Uint8Array) => Uint8Array)[] = [
    (answer) => bytes(`${string(answer)}`.replace("h1:zip=", "h1:Zip=")),
    (answer) => answer.slice(0, -1),
    (answer) => bytes(`${string(answer)}a\n\n`),
  ];
  for (const change of changes) {
    database.tamper = (path, answer) => (path.startsWith("/tile/8/data") && answer ? change(answer) : answer);
    await assert.rejects(client.tile("tile/8/data/000.p/5"), { code: "sumdb-bad-tile" });
    assert.ok(!store.tiles.has("tile/8/data/000.p/5"));
  }
});

test("a head signed by another key is refused", async () => {
  const { client, database, store } = await warmed();
  const before = store.head;
  const impostor = new ChecksumDatabase(generateKey("sum.example.com"));
  await impostor.add("example.com/m", 2000);
  database.tamper = (path) => (path === "/latest" ? latest : undefined);
  const latest = await impostor.signedHead();
  await assert.rejects(client.latest(), { code: "sumdb-bad-note" });
  assert.equal(store.head, before);
});

test("a rolled-back head changes nothing and is proven with tiles fetched once", async () => {
  const { database, store, client } = await warmed();
  const before = store.head;
  const old = await database.signedHead(333);
  database.tamper = (path, answer) => (path === "/latest" ? old : answer);
  assert.equal((await client.latest()).tree.n, 1000n);
  assert.equal(store.head, before);
  assert.deepEqual(database.requests, ["/latest", "/tile/8/0/001"]);
  database.requests.length = 0;
  assert.equal((await client.latest()).tree.n, 1000n);
  assert.deepEqual(database.requests, ["/latest"]);
});

/** Two logs of one key that agree up to record 500. */
async function forked() {
  const key = generateKey("sum.example.com");
  const [one, other] = [new ChecksumDatabase(key), new ChecksumDatabase(key)];
  for (const database of [one, other]) await database.add("example.com/m", 500);
  await other.addRecord("example.com/m", "v1.500.0", "h1:other=");
  await one.add("example.com/m", 500, 500);
  await other.add("example.com/m", 999, 501);
  return { one, other };
}

test("two heads that disagree are a fork, older, newer or of the same size; nothing of it is stored", async () => {
  const { one, other } = await forked();
  for (const size of [501, 800, 1000, 1001, 1024, 1500]) {
    const store = new Store();
    await clientOf(one, store).lookup("example.com/m", "v1.700.0");
    await clientOf(one, store).tile("tile/8/0/001");
    const before = { head: store.head, tiles: new Map(store.tiles) };
    const head = await other.signedHead(size);
    other.tamper = (path, answer) => (path === "/latest" ? head : answer);
    await assert.rejects(clientOf(other, store).latest(), (error: unknown) => {
      assert.ok(error instanceof SumdbForkError, `size ${size}: ${error}`);
      assert.equal(error.code, "sumdb-fork");
      assert.match(error.message, /^checksum database sum\.example\.com forked: its signed log of \d+ records/);
      const notes = [string(error.olderNote), string(error.newerNote)].sort();
      assert.deepEqual(notes, [string(head), string(before.head)].sort());
      return true;
    });
    assert.deepEqual({ head: store.head, tiles: store.tiles }, before, `size ${size}`);
  }
  // Before the logs part there is nothing to disagree about.
  const store = new Store();
  await clientOf(one, store).lookup("example.com/m", "v1.400.0");
  const shared = await other.signedHead(500);
  other.tamper = (path, answer) => (path === "/latest" ? shared : answer);
  assert.equal((await clientOf(other, store).latest()).tree.n, 1000n);
  // Without the tile that shows it, it is no proof of a fork but a database whose tiles are wrong; refused all the same.
  store.tiles.delete("tile/8/0/001");
  await assert.rejects(clientOf(other, store).latest(), { code: "sumdb-bad-tile" });
});

test("a damaged stored tile is fetched again and mended", async () => {
  const damages: readonly ((tile: Uint8Array) => Uint8Array)[] = [
    (t) => flip(t, 7),
    (t) => t.slice(5),
    () => bytes(""),
  ];
  for (const damage of damages) {
    const { database, store } = await warmed();
    const path = "tile/8/0/003.p/232";
    const right = store.tiles.get(path) as Uint8Array;
    store.tiles.set(path, damage(right));
    await clientOf(database, store).lookup("example.com/m", "v1.8.0");
    assert.deepEqual(store.tiles.get(path), right);
  }
});

test("when a tile or the head cannot be written the lookup fails, and works afterwards", async () => {
  for (const broken of ["tile/8/0/003.p/232", "tile/8/1/000.p/3", "head"]) {
    const database = new ChecksumDatabase();
    await database.add("example.com/m", 1000);
    const store = new Store();
    const client = clientOf(database, store);
    store.beforeWrite = (path) => {
      if (path === broken) throw new CodedError("disk-full", "no space");
    };
    await assert.rejects(client.lookup("example.com/m", "v1.8.0"), { code: "disk-full" });
    assert.equal(store.head, undefined, "the head is kept after its tiles");
    store.beforeWrite = () => {};
    await client.lookup("example.com/m", "v1.8.0");
    assert.deepEqual([...store.tiles.keys()].sort(), ["tile/8/0/000", "tile/8/0/003.p/232", "tile/8/1/000.p/3"]);
  }
});

test("a head that another process kept meanwhile is merged, whichever is newer", async () => {
  for (const [mine, theirs] of [
    [1100, 1050],
    [1100, 1100],
    [1100, 1150],
  ] as const) {
    const { database, store, client } = await warmed();
    await database.add("example.com/m", 200, 1000);
    const heads = { mine: await database.signedHead(mine), theirs: await database.signedHead(theirs) };
    database.tamper = (path, answer) => (path === "/latest" ? heads.mine : answer);
    store.beforeWrite = (path) => {
      if (path !== "head") return;
      store.beforeWrite = () => {};
      store.head = heads.theirs;
    };
    const newest = mine > theirs ? heads.mine : heads.theirs;
    assert.equal(string((await client.latest()).signedNote), string(newest));
    assert.equal(string(store.head), string(newest));
  }
});

test("a head that never can be kept, and a kept one that is none, end the lookup", async () => {
  const { database, store } = await warmed();
  await database.add("example.com/m", 1, 1000);
  const ops = { ...store.ops(database), replaceHead: async () => false };
  const stubborn = new SumdbClient({ verifier: newVerifier(database.vkey), ops });
  await assert.rejects(stubborn.lookup("example.com/m", "v1.8.0"), { code: "sumdb-head-contended" });
  store.head = bytes("junk");
  await assert.rejects(clientOf(database, store).lookup("example.com/m", "v1.8.0"), { code: "sumdb-damaged-head" });
});

test("a path or version that is none is refused unasked; the database's own failures come through", async () => {
  const { database, client } = await warmed();
  for (const [path, version] of [
    ["example.com/../m", "v1.0.0"],
    ["example.com/m", "v1/../x"],
    ["", ""],
  ] as const) {
    await assert.rejects(client.lookup(path, version), { name: /Error$/ });
  }
  assert.deepEqual(database.requests, []);
  await assert.rejects(client.lookup("example.com/unknown", "v1.0.0"), { code: "sumdb-not-found" });
  database.tamper = () => {
    throw new CodedError("timeout", "slow");
  };
  await assert.rejects(client.lookup("example.com/m", "v1.9.0"), { code: "timeout" });
  await assert.rejects(client.latest(), { code: "timeout" });
});

test("composeLookup and parseLookup are inverse", async () => {
  const { database } = await warmed();
  const answer = await database.get("/lookup/example.com/m@v1.5.0", 10_000);
  const parsed = parseLookup(answer);
  assert.equal(parsed.id, 5n);
  assert.deepEqual(composeLookup(parsed, parsed), answer);
  assert.throws(() => parseLookup(new Uint8Array(1_000_001)), { code: "sumdb-bad-record" });
});
