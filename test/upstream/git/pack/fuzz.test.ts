import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isCodedError } from "../../../../lambda/golang/coded-error.ts";
import { Discovery } from "../../../../lambda/upstream/git/discovery/discovery.ts";
import { parseCommit } from "../../../../lambda/upstream/git/pack/commit.ts";
import { applyDelta, deltaSizes } from "../../../../lambda/upstream/git/pack/delta.ts";
import { GitFailure } from "../../../../lambda/upstream/git/pack/git-failure.ts";
import { gitLimits } from "../../../../lambda/upstream/git/pack/git-limits.ts";
import { indexPack } from "../../../../lambda/upstream/git/pack/index-pack.ts";
import { Objects } from "../../../../lambda/upstream/git/pack/objects.ts";
import { PacketReader } from "../../../../lambda/upstream/git/pack/pkt-line.ts";
import { parseTree } from "../../../../lambda/upstream/git/pack/tree.ts";
import { readAdvertisement } from "../../../../lambda/upstream/git/repository/advertisement.ts";
import { packfileOf } from "../../../../lambda/upstream/git/repository/fetch-answer.ts";
import { dataFolder } from "../../../support/data-folder.ts";
import { bandOf, packet } from "../../../support/git-http-server.ts";
import { deltaOf, GitObjects, type PackPart, packOf, sealed } from "../../../support/git-objects.ts";

/** MODFRONT_FUZZ=1000000 makes a million of all kinds together; the seed is fixed, so that a failure comes back. */
const inputs = Number(process.env.MODFRONT_FUZZ ?? 8_000);

const limits = {
  ...gitLimits,
  deltaBytes: 1 << 20,
  treeBytes: 1 << 16,
  blobBytes: 1 << 22,
  inflatedBytes: 1 << 23,
  objects: 1_000,
  files: 1_000,
};

type Random = (below: number) => number;

function randomSource(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Some bytes changed, left out, doubled, or put elsewhere. */
function damaged(random: Random, bytes: Buffer): Buffer {
  let result = Buffer.from(bytes);
  for (let times = 1 + random(3); times > 0; times--) {
    const at = random(result.length + 1);
    const end = Math.min(result.length, at + random(12));
    const [before, part, after] = [result.subarray(0, at), result.subarray(at, end), result.subarray(end)];
    const junk = Buffer.from(Array.from({ length: random(6) }, () => random(256)));
    const other = result.subarray(random(result.length + 1)).subarray(0, random(40));
    const flipped = Buffer.from(part.map((byte) => byte ^ (1 << random(8))));
    const kinds = [
      [before, flipped, after],
      [before, after],
      [before, part, part, after],
      [before, junk, after],
      [before, other, part, after],
    ];
    result = Buffer.concat(kinds[random(kinds.length)] ?? []);
  }
  return result;
}

/** Nothing but a coded failure, or what it should be. */
async function expectCoded(what: string, bytes: Buffer, work: () => unknown): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof GitFailure) && !isCodedError(error, "absent"))
      assert.fail(`${what} of ${bytes.toString("hex")}: ${(error as Error).stack}`);
    return false;
  }
}

/** A page as hosts have them, with all that a page can be made of. */
function page(...imports: readonly string[]): Buffer {
  const metas = imports.map((content) => `<meta name="go-import" content="${content}">`);
  return Buffer.from(
    `<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html [<!ENTITY a "b>c">]>\n<!-- a page -->\n<html lang=en><head>
<meta charset='utf-8' /><title>x &amp; &#x79; \u00e9</title>${metas.join("\n")}<script><![CDATA[<meta>]]></script></head><body>`,
  );
}

/** Where a page says that a module is: whatever that is, it is a URL to ask and a folder within it. */
async function findBy(bytes: Buffer): Promise<void> {
  const get = async () => ({ status: 200, text: bytes.toString("latin1") });
  const address = await new Discovery({ get }).find("a.example/x/y");
  assert.match(new URL(address.url).protocol, /^[a-z][a-z0-9+.-]*:$/);
  assert.match(address.url, /^(?!file:)[\x21-\x5b\x5d-\x7e]+$/i);
  if (address.kind === "proxy") return;
  assert.ok(`a.example/x/y/`.startsWith(`${address.root}/`), address.root);
  assert.ok(!/(?:^|\/)\.*(?:\/|$)|[^\w.~+/-]/.test(address.directory) || address.directory === "", address.directory);
}

const text = Buffer.from("a line that is there many times, as in a file of code\n".repeat(40));
const git = new GitObjects();
const commit = git.commit(git.tree({ "go.mod": "module m\n", "a/b/c.go": text, "a/d.go": `${text}more` }), {
  message: "m",
});
const objects = [...git.stored.values()];

const parts: PackPart[] = [
  ...objects,
  { type: "blob", data: Buffer.from(`${text}1`) },
  { base: objects.length, delta: deltaOf(Buffer.from(`${text}1`), Buffer.from(`x${text}2`)) },
  { base: objects.length + 1, delta: deltaOf(Buffer.from(`x${text}2`), Buffer.from(`x${text}y`)) },
];

test(`of ${inputs} damaged packets, deltas, objects, packfiles and pages none breaks anything`, async (t) => {
  const random = randomSource(11);
  const path = join(dataFolder(t), "pack");
  const whole = packOf(parts);
  const advertisement = Buffer.from(
    `${packet("# service=git-upload-pack")}0000${packet(`${commit} HEAD\0side-band-64k symref=HEAD:refs/heads/main`)}${packet(`${commit} refs/heads/main`)}0000`,
  );
  const version2 = Buffer.from(
    `${packet("version 2")}${packet("ls-refs=unborn")}${packet("fetch=shallow filter")}0000`,
  );
  const answer = Buffer.concat([
    Buffer.from(`${packet("shallow-info")}${packet(`shallow ${commit}`)}0001${packet("packfile")}`),
    ...[bandOf(2, Buffer.from("counting")), bandOf(1, whole), Buffer.from("0000")],
  ]);
  const base = Buffer.from(`${text}1`);
  const delta = deltaOf(base, Buffer.from(`${text.subarray(9)}2`));
  const [treeObject, commitObject] = (["tree", "commit"] as const).map(
    (type) => objects.find((each) => each.type === type)?.data ?? text,
  );
  const chunks = async function* (bytes: Buffer) {
    const size = 1 + random(bytes.length + 1);
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  };
  const drain = async (source: AsyncIterable<unknown>) => {
    for await (const _ of source);
  };
  const kinds: readonly (readonly [string, Buffer, (bytes: Buffer) => unknown])[] = [
    ["packets", answer, (bytes) => [...new PacketReader().read(bytes)]],
    ["advertisement", advertisement, (bytes) => readAdvertisement(chunks(bytes), limits)],
    ["advertisement of version 2", version2, (bytes) => readAdvertisement(chunks(bytes), limits)],
    ["fetch", answer, (bytes) => drain(packfileOf(chunks(bytes), { protocol: 2, onlyTips: true, limits }))],
    [
      "fetch of version 0",
      answer,
      (bytes) => drain(packfileOf(chunks(bytes), { protocol: 0, onlyTips: random(2) === 0, limits })),
    ],
    ["delta", delta, (bytes) => deltaSizes(bytes).result <= limits.deltaBytes && applyDelta(base, bytes)],
    ["tree", treeObject ?? text, (bytes) => [...parseTree(bytes, "sha1")]],
    ["page", page("a.example/x git https://git.example/x.git sub/dir", "b.example git ssh://b.example/r"), findBy],
    [
      "page of a proxy",
      page("a.example/x/y git https://c.example/r", "a.example mod https://proxy.example/go"),
      findBy,
    ],
    ["commit", commitObject ?? text, (bytes) => parseCommit("", bytes, "sha1")],
  ];
  let taken = 0;
  for (let i = 0; i < inputs; i++) {
    const [what, bytes, work] = kinds[i % kinds.length] ?? kinds[0] ?? assert.fail();
    const bad = damaged(random, bytes);
    if (await expectCoded(what, bad, () => work(bad))) taken++;
    // Packfiles are slower: every tenth, with a trailer that is right so that what is inside is looked at.
    if (i % 10 !== 0) continue;
    const pack = sealed(damaged(random, whole.subarray(0, -20)));
    writeFileSync(path, pack);
    await expectCoded("packfile", pack, async () => {
      const found = await indexPack(path, { format: "sha1", limits });
      const opened = new Objects({ objectFormat: "sha1", packs: [{ path, index: found }] }, limits);
      const ids = Array.from(found.types, (_, row) =>
        Buffer.from(found.ids.subarray(row * 20, row * 20 + 20)).toString("hex"),
      );
      try {
        for (const [row, id] of ids.entries()) opened.read(id, found.types[row] ?? 0, 1 << 22);
      } finally {
        opened.close();
      }
    });
  }
  assert.ok(taken > inputs / 100, "some are still what they should be");
});
