import assert from "node:assert/strict";
import { createWriteStream, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { after, test } from "node:test";
import { inspectZip } from "../../../../lambda/golang/inspect-zip.ts";
import { escapeVersion } from "../../../../lambda/golang/module.ts";
import { pseudoVersion } from "../../../../lambda/golang/pseudo.ts";
import { create } from "../../../../lambda/golang/zip.ts";
import { type Upstream, UpstreamFailure } from "../../../../lambda/proxy/sources/upstream.ts";
import { FolderTemporaryFiles } from "../../../../lambda/runtime/folder-temporary-files.ts";
import { whole } from "../../../../lambda/upstream/git/attributes/whole.ts";
import type { RepositoryAddress } from "../../../../lambda/upstream/git/discovery/repository-address.ts";
import { DirectUpstream } from "../../../../lambda/upstream/git/module/direct-upstream.ts";
import { moduleFiles } from "../../../../lambda/upstream/git/module/module-files.ts";
import { RefListings } from "../../../../lambda/upstream/git/module/ref-listings.ts";
import type { ModuleZips } from "../../../../lambda/upstream/git/module/thread-zips.ts";
import { GitFailure } from "../../../../lambda/upstream/git/pack/git-failure.ts";
import { gitLimits } from "../../../../lambda/upstream/git/pack/git-limits.ts";
import type { History } from "../../../../lambda/upstream/git/repository/git-repository.ts";
import { MemoryGitRepository } from "../../../support/memory-git-repository.ts";
import { temporaryFile } from "../../../support/zip-file.ts";

// The rules one by one over repositories in memory; test/git/direct.git.ts holds them against the real go command.

const folder = mkdtempSync(join(tmpdir(), "modfront-direct-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const address: RepositoryAddress = {
  kind: "git",
  url: "https://corp.example/r",
  root: "corp.example/r",
  directory: "",
};

interface World {
  readonly repository: MemoryGitRepository;
  readonly direct: DirectUpstream;
  /** Milliseconds. */
  time: number;
}

function world(found: RepositoryAddress = address): World {
  const repository = new MemoryGitRepository();
  let names = 0;
  const zips: ModuleZips = {
    make: async ({ module, place, directory, output }) => {
      try {
        const zip = await create(module, moduleFiles(repository.objects(place.tree), place.tree, directory));
        await pipeline(zip, createWriteStream(output));
      } catch (error) {
        return { kind: "refused", why: (error as Error).message };
      }
      return { kind: "done", size: statSync(output).size };
    },
  };
  const proxy: Upstream = { name: "p", get: async (path) => ({ chunks: once(`proxied ${path}`), length: undefined }) };
  const made: World = {
    repository,
    time: 0,
    direct: new DirectUpstream({
      discovery: { find: async () => found },
      openRepository: () => repository,
      openProxy: () => proxy,
      listings: new RefListings({ now: () => made.time, freshFor: 60_000 }),
      zips,
      files: new FolderTemporaryFiles(folder, () => `${process.pid}-${names++}`),
      limits: gitLimits,
    }),
  };
  return made;
}

async function* once(text: string) {
  yield Buffer.from(text);
}

async function get({ direct }: World, path: string): Promise<string> {
  return (await whole((await direct.get(path, { limit: 1 << 20 })).chunks)).toString();
}

/** What is said of a query: its version, or the text of the 404. */
async function versionOf(at: World, module: string, query: string): Promise<string> {
  try {
    const path = query === "@latest" ? `/${module}/@latest` : `/${module}/@v/${escapeVersion(query)}.info`;
    return JSON.parse(await get(at, path)).Version;
  } catch (error) {
    assert.ok(error instanceof UpstreamFailure && error.details?.status === 404, String(error));
    return `404 ${error.details.text}`;
  }
}

const r = "corp.example/r";
const goMod = (path: string, more = "") => `module ${path}\n${more}`;

/** A rule, the repository with the ids of its commits, what is asked of which module, and what is said. */
const rows: readonly {
  readonly rule: string;
  readonly build: (at: MemoryGitRepository) => readonly string[];
  readonly list?: readonly string[];
  readonly module?: string;
  readonly asks: Readonly<Record<string, string | RegExp>>;
}[] = [
  {
    rule: "tags, branches and hashes",
    build: (at) => {
      const a = at.add({ "go.mod": goMod(r) });
      at.tag("v1.0.0");
      at.tag("v1.1.0-rc.1");
      at.tag("v1.0");
      at.tag("v1.2.0+meta");
      at.tag("v1.9.1-0.20200101000000-abcdefabcdef");
      return [a, at.add({ "a.go": "" })];
    },
    list: ["v1.0.0", "v1.1.0-rc.1"],
    asks: {
      "v1.0.0": "v1.0.0",
      main: "v1.2.1-0.20200913122740-BBB",
      HEAD: "v1.2.1-0.20200913122740-BBB",
      "@latest": "v1.2.1-0.20200913122740-BBB",
      BBB: "v1.2.1-0.20200913122740-BBB",
      AAA: "v1.1.0-rc.1",
      "v1.2.0+meta": "v1.1.0-rc.1",
      "v1.3.0": /unknown revision v1\.3\.0/,
      "v1.0.1-0.20200913122740-BBB": "v1.0.1-0.20200913122740-BBB",
      "v1.0.1-0.20200913122741-BBB": /does not match version-control timestamp \(expected 20200913122740\)/,
      "v1.4.1-0.20200913122740-BBB": /preceding tag \(v1\.4\.0\) not found/,
      "v1.0.1-0.20200913122640-AAA": /already canonical/,
      "v0.0.0-20200913122740-BBB": "v0.0.0-20200913122740-BBB",
      "v1.0.0-20200913122740-BBB": /must be v0, not v1/,
      "v1.0.1-0.20200913122740-BBB+13": /revision is longer than canonical \(expected BBB\)/,
      "v1.0.1-0.20200913122740-BBB+11": /revision is shorter than canonical \(expected BBB\)/,
      "BBB+7": "v1.2.1-0.20200913122740-BBB",
      "BBB+6": /unknown revision/,
      abcdef: /unknown revision abcdef/,
      abcdef0: /unknown revision abcdef0/,
    },
  },
  {
    rule: "what only a pull request reaches",
    build: (at) => {
      const a = at.add({ "go.mod": goMod(r) });
      const b = at.add({ "evil.go": "" }, { on: "pull", parents: [a] });
      at.heads.delete("pull");
      return [a, b];
    },
    list: [],
    asks: {
      BBB: /unknown revision/,
      "v0.0.0-20200913122740-BBB": /unknown revision/,
      AAA: "v0.0.0-20200913122640-AAA",
    },
  },
  {
    rule: "a HEAD on no branch is reached, and what is before it is not",
    build: (at) => {
      const a = at.add({ "go.mod": goMod(r) });
      const b = at.add({ "b.go": "" }, { on: "gone", parents: [a] });
      at.detached = at.add({ "c.go": "" }, { on: "gone" });
      at.heads.delete("gone");
      return [b, at.detached];
    },
    list: [],
    asks: { AAA: /unknown revision/, BBB: "v0.0.0-20200913122840-BBB", HEAD: "v0.0.0-20200913122840-BBB" },
  },
  {
    rule: "an empty repository",
    build: () => [],
    list: [],
    asks: { "@latest": /no commits/, main: /unknown revision main/, HEAD: /unknown revision HEAD/ },
  },
  {
    rule: "v2 in a folder",
    module: `${r}/v2`,
    build: (at) => {
      const a = at.add({ "go.mod": goMod(r), "v2/go.mod": goMod(`${r}/v2`) });
      for (const tag of ["v1.0.0", "v2.0.0", "v2/v2.1.0"]) at.tag(tag);
      return [a];
    },
    list: ["v2.0.0"],
    asks: {
      "v2.0.0": "v2.0.0",
      main: "v2.0.0",
      "v2.1.0": /unknown revision v2\.1\.0/,
      "v1.0.0": /major version must match/,
    },
  },
  {
    rule: "v2 in both places",
    module: `${r}/v2`,
    build: (at) => [at.add({ "go.mod": goMod(`${r}/v2`), "v2/go.mod": goMod(`${r}/v2`) })],
    asks: { main: /both have \.\.\.\/v2 module paths/ },
  },
  {
    rule: "v2 nowhere",
    module: `${r}/v2`,
    build: (at) => [at.add({ "go.mod": goMod(r) })],
    asks: { main: /has non-\.\.\.\/v2 module path "corp\.example\/r" \(and \.\.\.\/v2\/go\.mod does not exist\)/ },
  },
  {
    rule: "incompatible versions",
    build: (at) => {
      const a = at.add({ "a.go": "" });
      for (const tag of ["v1.0.0", "v2.0.0", "v3.0.0"]) at.tag(tag);
      at.add({ "go.mod": goMod(r) });
      at.tag("v3.1.0");
      return [a];
    },
    list: ["v1.0.0", "v2.0.0+incompatible"],
    asks: {
      "v2.0.0": "v2.0.0+incompatible",
      "v2.0.0+incompatible": "v2.0.0+incompatible",
      "v1.0.0+incompatible": /\+incompatible suffix not allowed/,
      "v3.1.0": /must match major version \("corp\.example\/r\/v3"\)/,
      AAA: "v3.0.0+incompatible",
    },
  },
  {
    rule: "a module in a folder",
    module: `${r}/sub`,
    build: (at) => {
      const a = at.add({ "sub/go.mod": goMod(`${r}/sub`) });
      at.tag("v1.0.0");
      at.tag("sub/v1.1.0");
      return [a, at.add({ "sub/a.go": "" })];
    },
    list: ["v1.1.0"],
    asks: { "v1.1.0": "v1.1.0", main: "v1.1.1-0.20200913122740-BBB", "v1.0.0": /unknown revision sub\/v1\.0\.0/ },
  },
  {
    rule: "a folder that is no module",
    module: `${r}/sub`,
    build: (at) => [at.add({ "sub/a.go": "" })],
    asks: { main: /missing corp\.example\/r\/sub\/go\.mod/ },
  },
  {
    rule: "retracted versions",
    build: (at) => {
      const a = at.add({ "go.mod": goMod(r) });
      at.tag("v1.0.0");
      at.tag("v1.0.1");
      at.add({ "go.mod": goMod(r, "retract [v1.0.1, v1.2.0]\n") });
      at.tag("v1.2.0");
      return [a, at.add({ "b.go": "" })];
    },
    list: ["v1.0.0", "v1.0.1", "v1.2.0"],
    asks: { AAA: "v1.0.0", main: "v1.0.1-0.20200913122840-BBB", "v1.2.0": "v1.2.0" },
  },
];

for (const { rule, build, list, module = r, asks } of rows) {
  test(rule, async () => {
    const at = world();
    const [a = "", b = ""] = build(at.repository);
    // The first 12 digits of a commit, or as many as are said.
    const named = (text: string) =>
      text.replace(/(AAA|BBB)(?:\+(\d+))?/, (_, which, digits = "12") =>
        (which === "AAA" ? a : b).slice(0, Number(digits)),
      );
    if (list !== undefined) assert.equal(await get(at, `/${module}/@v/list`), list.map((each) => `${each}\n`).join(""));
    for (const [query, expected] of Object.entries(asks)) {
      const said = await versionOf(at, module, named(query));
      if (typeof expected === "string") assert.equal(said, named(expected), query);
      else assert.match(said, new RegExp(`^404 .*(?:${named(expected.source)})`), query);
    }
  });
}

test("an origin says where a version is from, and what a query depends on", async () => {
  const at = world({ ...address, directory: "go" });
  const id = at.repository.add({ "go/go.mod": goMod(r) });
  at.repository.tag("go/v1.0.0");
  const origin = { VCS: "git", URL: "https://corp.example/r", Subdir: "go", Hash: id, Ref: "refs/tags/go/v1.0.0" };
  const info = { Version: "v1.0.0", Time: "2020-09-13T12:26:40Z", Origin: origin };
  assert.equal(await get(at, `/${r}/@v/v1.0.0.info`), JSON.stringify(info));
  const next = at.repository.add({ "go/a.go": "" });
  at.time += 60_000;
  const version = `v1.0.1-0.20200913122740-${next.slice(0, 12)}`;
  const queried = JSON.parse(await get(at, `/${r}/@v/main.info`));
  const { TagSum } = queried.Origin;
  assert.match(TagSum, /^t1:[A-Za-z0-9+/]{43}=$/);
  const more = { TagPrefix: "go/", TagSum, Ref: "refs/heads/main" };
  const ofQuery = {
    Version: version,
    Time: "2020-09-13T12:27:40Z",
    Origin: { VCS: "git", URL: origin.URL, Subdir: "go", Hash: next, ...more },
  };
  assert.equal(JSON.stringify(queried), JSON.stringify(ofQuery));
  assert.equal(
    JSON.stringify(JSON.parse(await get(at, `/${r}/@v/${version}.info`)).Origin),
    JSON.stringify({ VCS: "git", URL: origin.URL, Subdir: "go", Hash: next }),
  );
});

test("a zip has the module's files, converted, and the licence of the root; its temporary file goes with it", async () => {
  const at = world();
  at.repository.add({
    ".gitattributes": "sub/*.txt eol=crlf\n",
    "sub/.gitattributes": "b.txt ident\n",
    LICENSE: "free\n",
    "sub/go.mod": goMod(`${r}/sub`, "go 1.24\n"),
    "sub/a.txt": "a\n",
    "sub/b.txt": "$Id$\n",
    "sub/link": { link: "a.txt" },
    "sub/vendor/modules.txt": "",
    "sub/other/go.mod": goMod(`${r}/sub/other`),
    "sub/other/x.go": "",
    "beside.go": "",
  });
  at.repository.tag("sub/v1.0.0");
  const { chunks } = await at.direct.get(`/${r}/sub/@v/v1.0.0.zip`, { limit: 1 << 20 });
  assert.equal(readdirSync(folder).length, 1);
  const zip = await whole(chunks);
  assert.deepEqual(readdirSync(folder), []);
  const { checked } = await inspectZip({ path: `${r}/sub`, version: "v1.0.0" }, temporaryFile(zip));
  const prefix = `${r}/sub@v1.0.0/`;
  assert.deepEqual(checked.valid.map((name) => name.slice(prefix.length)).sort(), [
    ".gitattributes",
    "LICENSE",
    "a.txt",
    "b.txt",
    "go.mod",
  ]);
  assert.ok(existsSync(folder));
});

test("a zip that nobody reads leaves nothing behind", async () => {
  const at = world();
  at.repository.add({ "go.mod": goMod(r) });
  at.repository.tag("v1.0.0");
  const { chunks } = await at.direct.get(`/${r}/@v/v1.0.0.zip`, { limit: 1 << 20 });
  await chunks[Symbol.asyncIterator]().return?.();
  assert.deepEqual(readdirSync(folder), []);
  assert.equal(at.repository.calls.at(-1), "close");
});

test("a zip that is too large for who asks leaves nothing behind", async () => {
  const at = world();
  at.repository.add({ "go.mod": goMod(r) });
  at.repository.tag("v1.0.0");
  await assert.rejects(at.direct.get(`/${r}/@v/v1.0.0.zip`, { limit: 10 }), { code: "too-large" });
  assert.deepEqual(readdirSync(folder), []);
});

test("what makes no zip is absent, with the reason", async () => {
  const at = world();
  at.repository.add({ "go.mod": goMod(r), "a.go": "", "A.go": "" });
  at.repository.tag("v1.0.0");
  const failing = at.direct.get(`/${r}/@v/v1.0.0.zip`, { limit: 1 << 20 });
  await assert.rejects(failing, (error: UpstreamFailure) => {
    assert.equal(error.details?.status, 404);
    assert.match(error.details?.text ?? "", /create zip: .*equal but for case/s);
    return true;
  });
  assert.deepEqual(readdirSync(folder), []);
});

test("a module without a go.mod is given one that names it", async () => {
  const at = world();
  at.repository.add({ "a.go": "" });
  at.repository.tag("v1.0.0");
  assert.equal(await get(at, `/${r}/@v/v1.0.0.mod`), goMod(r));
});

test("only .info answers queries", async () => {
  const at = world();
  at.repository.add({ "go.mod": goMod(r) });
  for (const kind of ["mod", "zip"]) {
    await assert.rejects(get(at, `/${r}/@v/main.${kind}`), (error: UpstreamFailure) => {
      assert.match(error.details?.text ?? "", /main: is v0\.0\.0-20200913122640-/);
      return error.details?.status === 404;
    });
  }
});

test("refs are listed once for all who ask within a while, and again for what is not in the list", async () => {
  const at = world();
  at.repository.add({ "go.mod": goMod(r) });
  at.repository.tag("v1.0.0");
  await Promise.all(Array.from({ length: 64 }, () => get(at, `/${r}/@v/list`)));
  const listings = () => at.repository.calls.filter((call) => call === "refs").length;
  assert.equal(listings(), 1);
  at.repository.tag("v1.1.0");
  assert.match(await versionOf(at, r, "v1.1.0"), /unknown revision/);
  assert.equal(listings(), 1, "a listing of a moment ago is not made again");
  at.time += 5_000;
  assert.equal(await versionOf(at, r, "v1.1.0"), "v1.1.0");
  assert.equal(listings(), 2);
  at.time += 30_000;
  await get(at, `/${r}/@v/list`);
  assert.equal(listings(), 2);
  at.time += 60_000;
  await get(at, `/${r}/@v/list`);
  assert.equal(listings(), 3);
});

test("a history is walked once for all tags that a pseudo-version may follow", async () => {
  const at = world();
  const { repository } = at;
  repository.add({ "go.mod": goMod(r) });
  const side = repository.add({ "side.go": "" }, { on: "side" });
  for (let i = 0; i < 50; i++) repository.tag(`v1.0.0+${i}`, i === 0 ? repository.heads.get("main") : side);
  const id = repository.add({ "a.go": "" });
  const history = repository.history.bind(repository);
  let walks = 0;
  repository.history = async (refs) => {
    const real = await history(refs);
    const ancestorsAmong: History["ancestorsAmong"] = (...which) => {
      walks++;
      return real.ancestorsAmong(...which);
    };
    return { ...real, ancestorsAmong };
  };
  const { time } = await repository.commit(id);
  const version = pseudoVersion("", "v1.0.0", new Date(time * 1000), id.slice(0, 12));
  assert.equal(await versionOf(at, r, version), version);
  repository.tag("v1.0.0+0", side);
  at.time += 60_000;
  walks = 0;
  assert.match(await versionOf(at, r, version), /not a descendent of preceding tag \(v1\.0\.0\+9\)/);
  assert.equal(walks, 1);
});

/** How a repository fails, and what the chain is told: a code, a status, and words that name the host. */
const failures: readonly (readonly [Error, string, number | undefined, RegExp])[] = [
  [
    new GitFailure("no-repository", "has no repository there", { status: 404 }),
    "status",
    404,
    /at corp\.example: it has no repository/,
  ],
  [new GitFailure("unauthorized", "wants credentials", { status: 401 }), "status", 401, /at corp\.example/],
  [new GitFailure("status", "answered 503", { status: 503 }), "status", 503, /at corp\.example: it answered 503/],
  [new GitFailure("bad-answer", "sent what is no packfile"), "bad-answer", undefined, /at corp\.example/],
  [new GitFailure("too-large", "has too many refs"), "too-large", undefined, /at corp\.example/],
  [
    new UpstreamFailure("unreachable", "refused the connection"),
    "unreachable",
    undefined,
    /at corp\.example: it refused the connection/,
  ],
  [new UpstreamFailure("refused-address", "has a private address"), "refused-address", undefined, /at corp\.example/],
];

test("a repository that cannot be read is never a version that is not there", async () => {
  for (const [failure, code, status, message] of failures) {
    const at = world();
    at.repository.failure = failure;
    await assert.rejects(get(at, `/${r}/@v/list`), (error: UpstreamFailure) => {
      assert.deepEqual([error.code, error.details?.status], [code, status]);
      assert.match(error.message, message);
      return true;
    });
  }
});

test("who gives up waits no longer", async () => {
  const at = world();
  const signal = AbortSignal.abort(new Error("gone"));
  await assert.rejects(at.direct.get(`/${r}/@v/list`, { limit: 1, signal }), { message: "gone" });
});

test("a page may name a proxy, which is asked instead", async () => {
  const at = world({ kind: "proxy", url: "https://p.example" });
  assert.equal(await get(at, `/${r}/@v/list`), `proxied /${r}/@v/list`);
});

test("paths of no module are absent", async () => {
  for (const path of ["/corp.example/R/@v/list", "/x/@v/list", `/${r}/@v/a%2fb.info`, `/${r}/@x`, "/@v/list", "/"]) {
    await assert.rejects(get(world(), path), { code: "status" }, path);
  }
});
