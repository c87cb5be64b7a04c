import assert from "node:assert/strict";
import { test } from "node:test";
import { hashGoMod } from "../../../lambda/golang/dirhash.ts";
import { sha256, stagedNames } from "../../../lambda/proxy/intake/claims.ts";
import type { Claim } from "../../../lambda/proxy/store/claim-store.ts";
import { type FileKind, fileKey, stagedKey, stagedPrefix } from "../../../lambda/proxy/store/layout.ts";
import { countsOf } from "../../support/counted-calls.ts";
import { type Bodies, fillWorld, SharedStores, zipHash } from "../../support/fill-world.ts";
import { type Fault, faultKinds } from "../../support/with-failpoints.ts";

// What a private version is held to, and what is left when any write on its way fails, or lands without an answer.

const module = { path: "corp.example/m", version: "v1.0.0" };
const kinds = ["info", "mod", "zip"] as const;
const mod = "module corp.example/m\n";
const first = {
  info: '{"Version":"v1.0.0","Time":"2024-01-02T03:04:05Z"}',
  mod,
  zip: `first ${mod}`,
} as const satisfies Bodies;
const otherMod = `${mod}\ngo 1.99\n`;
const otherInfo = '{"Version":"v1.0.0","Time":"2025-01-02T03:04:05Z"}';

function claimOf({ info, mod, zip }: Bodies): Claim {
  return { zip: zipHash(zip), goMod: hashGoMod(Buffer.from(mod)), info: sha256(Buffer.from(info)) };
}

/** What a file of the version is, as text; `undefined` where it is not stored. */
function textOf(shared: SharedStores, kind: FileKind): string | undefined {
  const bytes = shared.store.files.get(fileKey(module, kind));
  return bytes && Buffer.from(bytes).toString();
}

function staged(shared: SharedStores): readonly string[] {
  return [...shared.store.files.keys()].filter((key) => key.startsWith(stagedPrefix));
}

function put(shared: SharedStores, kind: FileKind, text: string): void {
  shared.store.files.set(fileKey(module, kind), Buffer.from(text));
}

/** Whatever has happened: a private file has a claim and a record of its hash, a row has its three files. */
function checkInvariants(shared: SharedStores): void {
  const claim = shared.claims.claims.get(`${module.path}@${module.version}`);
  const record = shared.log.records.get(`${module.path}@${module.version}`);
  for (const kind of kinds) {
    const text = textOf(shared, kind);
    if (text === undefined) continue;
    const hash = { info: sha256, mod: hashGoMod, zip: zipHash }[kind](Buffer.from(text));
    assert.equal(hash, { info: claim?.info, mod: claim?.goMod, zip: claim?.zip }[kind], `${kind} has no claim`);
    assert.deepEqual(
      record,
      { module, zip: claim?.zip, goMod: claim?.goMod, proof: undefined },
      `${kind} has no record`,
    );
  }
  if (shared.index.versions.get(module.path)?.has(module.version))
    for (const kind of kinds) assert.notEqual(textOf(shared, kind), undefined, `a row without ${kind}`);
}

test("a private version is one unit, whatever was asked, and each step is taken when the one before it is done", async (t) => {
  for (const kind of kinds) {
    const { fill, take, ...shared } = fillWorld(t, { bodies: first, isPrivate: true });
    const [asked] = await Promise.all([fill.fill(kind, module), fill.fill("mod", module), fill.fill("zip", module)]);
    assert.equal(asked.key, fileKey(module, kind));
    const calls = take();
    const counts = countsOf(calls);
    for (const each of kinds) assert.equal(counts[`upstream ${each}`], 1, each);
    for (const each of kinds) assert.equal(textOf(shared, each), first[each]);
    assert.deepEqual([staged(shared), shared.claims.claims.size], [[], 1]);
    const writes = calls.filter((call) => /create|claims.claim|log.append|addVersion|remove|release/.test(call));
    const [stage, keep] = [Array(3).fill("store.create"), Array(3).fill("store.create")];
    const removal = Array(3).fill("store.remove");
    assert.deepEqual(writes, [
      ...stage,
      "claims.claim",
      "log.append",
      ...keep,
      "index.addVersion",
      ...removal,
      "leases.release",
    ]);
    const { facts } = shared.index;
    assert.deepEqual(await facts.call(shared.index, module.path, module.version), {
      origin: "upstream",
      zipSize: first.zip.length,
      zipHash: zipHash(first.zip),
      goModHash: hashGoMod(Buffer.from(mod)),
    });
  }
});

test("a miss of a private version costs so many calls, and a hit one", async (t) => {
  const { fill, take } = fillWorld(t, { bodies: first, isPrivate: true });
  await fill.fill("zip", module);
  assert.deepEqual(countsOf(take()), {
    "store.size": 2, // before the lease and under it
    "store.read": 2,
    "store.copy": 1,
    "index.recall": 1,
    "leases.acquire": 1,
    "claims.read": 1,
    "upstream info": 1,
    "upstream mod": 1,
    "upstream zip": 1,
    "store.create": 6,
    "log.lookup": 1,
    "claims.claim": 1,
    "log.append": 1,
    "index.addVersion": 1,
    "store.remove": 3,
    "leases.release": 1,
  });
  await fill.fill("zip", module);
  assert.deepEqual(countsOf(take()), { "store.size": 1 });
});

/** What was there before, what the upstream has now, and which file is refused; `undefined`: none is. */
const rows: readonly (readonly [
  name: string,
  row: { readonly claimed?: Bodies; readonly stored: Partial<Bodies>; readonly now: Bodies; readonly refused?: RegExp },
])[] = [
  ["the same again, after eviction of all", { claimed: first, stored: {}, now: first }],
  [
    "another zip after eviction of all",
    { claimed: first, stored: {}, now: { ...first, zip: `moved ${mod}` }, refused: /the zip of/ },
  ],
  [
    "another zip after eviction of the zip",
    {
      claimed: first,
      stored: { info: first.info, mod },
      now: { ...first, zip: `moved ${mod}` },
      refused: /the zip of/,
    },
  ],
  [
    "another go.mod, in the zip too",
    {
      claimed: first,
      stored: {},
      now: { ...first, mod: otherMod, zip: `first ${otherMod}` },
      refused: /the zip of/,
    },
  ],
  [
    "another .info while the first is stored: that one stays",
    { claimed: first, stored: { info: first.info }, now: { ...first, info: otherInfo } },
  ],
  [
    "another .info, and the first is gone",
    { claimed: first, stored: {}, now: { ...first, info: otherInfo }, refused: /the \.info \(time and origin\) of/ },
  ],
  ["stored before there were claims: only .info", { stored: { info: otherInfo }, now: first }],
  ["stored before there were claims: .info and .mod", { stored: { info: otherInfo, mod }, now: first }],
  ["stored before there were claims: the zip", { stored: { zip: first.zip }, now: { ...first, zip: "unread" } }],
  [
    "stored before there were claims: a .mod that is not the zip's",
    { stored: { mod: otherMod }, now: first, refused: /the go\.mod of/ },
  ],
  [
    "stored before there were claims: a zip whose go.mod is another than the upstream's",
    { stored: { zip: first.zip }, now: { ...first, mod: otherMod }, refused: /the go\.mod of/ },
  ],
];

for (const [name, { claimed, stored, now, refused }] of rows) {
  test(`${name}: ${refused === undefined ? "let in" : "refused"}`, async (t) => {
    const shared = new SharedStores();
    if (claimed !== undefined) await shared.claims.claim(module, claimOf(claimed));
    for (const kind of kinds) if (stored[kind] !== undefined) put(shared, kind, stored[kind]);
    const before = new Map(shared.store.files);
    const { fill } = fillWorld(t, { bodies: now, isPrivate: true, shared });
    const missing = kinds.find((kind) => stored[kind] === undefined) ?? "zip";
    if (refused !== undefined) {
      const [is, was] = [claimOf(now), claimed === undefined ? claimOf({ ...now, ...stored }) : claimOf(claimed)];
      for (let i = 0; i < 2; i++) {
        await assert.rejects(fill.fill(missing, module), (error: Error & { code: string }) => {
          assert.equal(error.code, "claim-mismatch");
          assert.match(error.message, refused);
          const name = /the (zip|go\.mod|\.info)/.exec(error.message)?.[1];
          const key = name === "zip" ? "zip" : name === "go.mod" ? "goMod" : "info";
          for (const hash of [is[key], was[key]]) assert.ok(error.message.includes(hash), error.message);
          return true;
        });
      }
      assert.deepEqual(shared.store.files, before, "nothing is stored, and nothing stays staged");
      assert.equal(shared.index.versions.size, 0);
      return;
    }
    await fill.fill(missing, module);
    for (const kind of kinds) assert.equal(textOf(shared, kind), stored[kind] ?? (claimed ?? now)[kind]);
    assert.deepEqual(staged(shared), []);
    checkInvariants(shared);
    assert.ok(shared.index.versions.get(module.path)?.has(module.version));
  });
}

/** Every write of a private fill, and how often it is made. */
const writes: readonly (readonly [method: string, times: number])[] = [
  ["create", 6],
  ["claim", 1],
  ["append", 1],
  ["addVersion", 1],
  ["remove", 3],
];

for (const [method, times] of writes)
  for (const kind of faultKinds)
    for (let call = 1; call <= times; call++) {
      const fault: Fault = { method, kind, call };
      test(`${method} ${kind}, the ${call}. time: what is left keeps the invariants, and the next process serves the version`, async (t) => {
        const shared = new SharedStores();
        const dying = fillWorld(t, { bodies: first, isPrivate: true, shared, plan: [fault] });
        const failed = dying.fill.fill("zip", module);
        // A removal that fails is the sweep's to do.
        if (method === "remove") await failed;
        else await assert.rejects(failed, { code: "store-failed" });
        checkInvariants(shared);
        // Whole files without a row are adopted at the next start (unfinished-fills.ts): nobody else asks for them.
        const whole = kinds.every((each) => textOf(shared, each) !== undefined);
        const next = fillWorld(t, { bodies: first, isPrivate: true, shared });
        for (const each of kinds) await next.fill.fill(each, module);
        for (const each of kinds) assert.equal(textOf(shared, each), first[each]);
        checkInvariants(shared);
        assert.ok(whole || shared.index.versions.get(module.path)?.has(module.version));
      });
    }

test("a claimed version is completed from what is staged, though the upstream has forgotten or changed it", async (t) => {
  const names = stagedNames(claimOf(first));
  for (const now of [undefined, { ...first, info: otherInfo, zip: `moved ${mod}` }]) {
    const shared = new SharedStores();
    const dying = fillWorld(t, {
      bodies: first,
      isPrivate: true,
      shared,
      plan: [{ method: "claim", kind: "landed", call: 1 }],
    });
    await assert.rejects(dying.fill.fill("zip", module), { code: "store-failed" });
    assert.deepEqual(staged(shared).toSorted(), Object.values(names).map(stagedKey).toSorted());
    const next = fillWorld(t, { bodies: now ?? first, isPrivate: true, shared });
    next.lose(now === undefined);
    await next.fill.fill("info", module);
    for (const kind of kinds) assert.equal(textOf(shared, kind), first[kind]);
    assert.deepEqual(staged(shared), []);
    assert.ok(!next.take().some((call) => call.startsWith("upstream")));
  }
});

test("what is staged and is not what was claimed is not gone on with", async (t) => {
  const shared = new SharedStores();
  await shared.claims.claim(module, claimOf(first));
  for (const name of Object.values(stagedNames(claimOf(first))))
    shared.store.files.set(stagedKey(name), Buffer.from("cut"));
  const { fill } = fillWorld(t, { bodies: first, isPrivate: true, shared });
  await fill.fill("zip", module);
  for (const kind of kinds) assert.equal(textOf(shared, kind), first[kind]);
});

test("two processes that have different bytes at the same moment make one claim, and the other is refused", async (t) => {
  const shared = new SharedStores();
  const second = { ...first, zip: `second ${mod}` };
  // Leases are a courtesy: here nobody waits for anybody.
  const worlds = [first, second].map((bodies) =>
    fillWorld(t, {
      bodies,
      isPrivate: true,
      shared: Object.assign(new SharedStores(), { ...shared, leases: new SharedStores().leases }),
    }),
  );
  const ends = await Promise.allSettled(worlds.map(({ fill }) => fill.fill("zip", module)));
  assert.deepEqual(ends.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
  const lost = ends.find((end) => end.status === "rejected")?.reason as { readonly code: string };
  assert.equal(lost.code, "claim-mismatch");
  const won = ends[0]?.status === "fulfilled" ? first : second;
  for (const kind of kinds) assert.equal(textOf(shared, kind), won[kind]);
  assert.equal(shared.claims.claims.size, 1);
  checkInvariants(shared);
});

test("a version of which the upstream has not all files is not known to be absent when the rest is an outage", async (t) => {
  const { fill, take, lose } = fillWorld(t, { bodies: first, isPrivate: true });
  lose(true);
  for (let i = 0; i < 2; i++) await assert.rejects(fill.fill("mod", module), { code: "not-found" });
  await assert.rejects(fill.fill("zip", module), { code: "not-found" });
  assert.deepEqual(
    take().filter((call) => call.startsWith("upstream")),
    ["upstream info", "upstream mod", "upstream zip"],
  );
});

test("what the log says is refused another, also where the claims were lost, and nothing is claimed", async (t) => {
  for (const now of [
    { ...first, zip: `moved ${mod}` },
    { ...first, mod: otherMod, zip: `first ${otherMod}` },
  ]) {
    const shared = new SharedStores();
    await fillWorld(t, { bodies: first, isPrivate: true, shared }).fill.fill("zip", module);
    shared.claims.claims.clear();
    shared.store.files.clear();
    shared.index.versions.clear();
    const { fill } = fillWorld(t, { bodies: now, isPrivate: true, shared });
    const refused = (error: Error & { code: string }) =>
      error.code === "record-mismatch" && [first, now].every((each) => error.message.includes(claimOf(each).zip));
    for (let i = 0; i < 2; i++) await assert.rejects(fill.fill("zip", module), refused);
    assert.deepEqual([shared.store.files.size, shared.claims.claims.size, shared.index.versions.size], [0, 0, 0]);
    // The first comes in again.
    await fillWorld(t, { bodies: first, isPrivate: true, shared }).fill.fill("zip", module);
    checkInvariants(shared);
  }
});

test("what was claimed before there was a log is logged when it is looked up, or made visible, as it is", async (t) => {
  for (const how of ["record", "reveal"] as const) {
    const shared = new SharedStores();
    await shared.claims.claim(module, claimOf(first));
    for (const kind of kinds) put(shared, kind, first[kind]);
    const { fill, take } = fillWorld(t, { bodies: { ...first, zip: "unread" }, isPrivate: true, shared });
    if (how === "record") await fill.record(module, Number.POSITIVE_INFINITY);
    else await fill.reveal("zip", module);
    checkInvariants(shared);
    assert.ok(shared.index.versions.get(module.path)?.has(module.version));
    assert.ok(!take().some((call) => call.startsWith("upstream")));
  }
});

test("what was stored before there were claims is claimed and logged by its stored bytes", async (t) => {
  const shared = new SharedStores();
  for (const kind of kinds) put(shared, kind, first[kind]);
  const { fill, take } = fillWorld(t, { bodies: { ...first, zip: "unread" }, isPrivate: true, shared });
  await fill.record(module, Number.POSITIVE_INFINITY);
  checkInvariants(shared);
  assert.ok(!take().some((call) => call.startsWith("upstream")));
});
