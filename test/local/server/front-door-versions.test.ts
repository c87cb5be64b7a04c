import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { FrontDoor, scriptVersions } from "../../support/front-door.ts";
import { filePath, versionsPath } from "../../support/module-fixture.ts";

// docs/protocol.md "Lists, latest, info, queries": what an upstream lists, and what is answered for it.

interface Row {
  readonly why: string;
  /** What the upstream answers to `@v/list`; one word for each line. */
  readonly upstream: string;
  readonly list: string;
  readonly latest: string;
  /** Lines of every version's go.mod below the module line. */
  readonly goMod?: string;
  /** The version that the upstream's own `@latest` names. */
  readonly upstreamLatest?: string;
  readonly path?: string;
}

const [older, newer] = ["v0.0.0-20240101000000-0123456789ab", "v0.0.0-20250101000000-0123456789ab"];

const rows: readonly Row[] = [
  { why: "a release", upstream: "v1.0.0", list: "v1.0.0", latest: "v1.0.0" },
  {
    why: "semver order, not the order of text",
    upstream: "v1.10.0 v1.9.0 v1.10.0-rc.1 v0.1.0",
    list: "v0.1.0 v1.9.0 v1.10.0-rc.1 v1.10.0",
    latest: "v1.10.0",
  },
  {
    why: "a release before a higher prerelease",
    upstream: "v1.0.0 v1.1.0-rc.1",
    list: "v1.0.0 v1.1.0-rc.1",
    latest: "v1.0.0",
  },
  {
    why: "prereleases alone",
    upstream: "v1.0.0-rc.2 v1.0.0-rc.1",
    list: "v1.0.0-rc.1 v1.0.0-rc.2",
    latest: "v1.0.0-rc.2",
  },
  {
    why: "pseudo-versions alone: none listed, the newest is latest",
    upstream: `${newer} ${older}`,
    list: "",
    latest: newer,
  },
  { why: "pseudo-versions beside a release", upstream: `v1.0.0 ${newer}`, list: "v1.0.0", latest: "v1.0.0" },
  {
    why: "a pseudo-version of a higher base does not outdo a release",
    upstream: "v1.0.0 v1.1.0-0.20250101000000-0123456789ab",
    list: "v1.0.0",
    latest: "v1.0.0",
  },
  {
    why: "+incompatible does not count above a version with a go.mod",
    upstream: "v2.0.0+incompatible v1.0.0 v3.0.0+incompatible",
    list: "v1.0.0 v2.0.0+incompatible v3.0.0+incompatible",
    latest: "v1.0.0",
  },
  {
    why: "+incompatible alone",
    upstream: "v2.0.0+incompatible v14.2.0+incompatible",
    list: "v2.0.0+incompatible v14.2.0+incompatible",
    latest: "v14.2.0+incompatible",
  },
  {
    why: "the path's own major only",
    path: "corp.example/major/v2",
    upstream: "v1.0.0 v2.1.0 v3.0.0 v2.0.0",
    list: "v2.0.0 v2.1.0",
    latest: "v2.1.0",
  },
  {
    why: "gopkg.in's majors",
    path: "gopkg.in/corp.v3",
    upstream: "v3.0.1 v2.0.0 v3.0.0",
    list: "v3.0.0 v3.0.1",
    latest: "v3.0.1",
  },
  {
    why: "a retracted version is listed but not latest",
    upstream: "v1.0.0 v1.1.0 v1.2.0",
    goMod: "retract v1.2.0 // leaked a key",
    list: "v1.0.0 v1.1.0 v1.2.0",
    latest: "v1.1.0",
  },
  {
    why: "retracted ranges",
    upstream: "v1.0.0 v1.1.0 v1.2.0",
    goMod: "retract [v1.1.0, v1.9.0]",
    list: "v1.0.0 v1.1.0 v1.2.0",
    latest: "v1.0.0",
  },
  {
    why: "all releases retracted: the highest prerelease",
    upstream: "v1.0.0 v0.9.0-rc.1",
    goMod: "retract [v1.0.0, v1.9.0]",
    list: "v0.9.0-rc.1 v1.0.0",
    latest: "v0.9.0-rc.1",
  },
  {
    why: "everything retracted: go wants to be told, so the highest",
    upstream: "v1.0.0 v1.1.0",
    goMod: "retract [v0.0.0, v9.0.0]",
    list: "v1.0.0 v1.1.0",
    latest: "v1.1.0",
  },
  { why: "nothing listed: the upstream's own latest", upstream: "", upstreamLatest: newer, list: "", latest: newer },
  {
    why: "an upstream's latest does not outdo a release",
    upstream: "v1.0.0",
    upstreamLatest: newer,
    list: "v1.0.0",
    latest: "v1.0.0",
  },
];

const lines = (versions: string) =>
  versions
    .split(" ")
    .map((version) => (version === "" ? "" : `${version}\n`))
    .join("");

/** Puts what a row says on the upstream and returns the module path. */
function scriptRow(door: FrontDoor, row: Row, number: number): string {
  const path = row.path ?? `corp.example/m${number}`;
  const goMod = `module ${path}\n${row.goMod ?? ""}\n`;
  const { upstreamLatest: version } = row;
  if (version !== undefined) {
    scriptVersions(door.corp, path, version, goMod);
    const info = JSON.stringify({ Version: version, Time: "2020-01-01T00:00:00Z" });
    door.corp.on(`/${path}/@latest`, { body: info }).on(filePath({ path, version }, "info"), { body: info });
  }
  scriptVersions(door.corp, path, lines(row.upstream), goMod);
  return path;
}

/** The body of an answer that must be a 200. */
async function body(door: FrontDoor, path: string): Promise<string> {
  const answer = await door.ask(path);
  assert.match(answer, /^200\n/);
  return answer.slice(answer.indexOf("\n\n") + 2);
}

describe("lists and latest", () => {
  let door: FrontDoor;
  before(async () => {
    door = await FrontDoor.start({}, "corp.example,gopkg.in/corp.v3");
  });
  after(() => door[Symbol.asyncDispose]());

  for (const [number, row] of rows.entries()) {
    test(row.why, async () => {
      const path = scriptRow(door, row, number);
      assert.equal(await body(door, `${versionsPath({ path })}/list`), lines(row.list));
      const { Version } = JSON.parse(await body(door, `/${path}/@latest`));
      assert.equal(Version, row.latest);
    });
  }

  test("text without one version in it is a bad upstream, not an empty list", async () => {
    door.corp.on("/corp.example/login/@v/list", { body: "<html>\n<p>Log in</p>\n" });
    const [status, , , , , , said] = (await door.ask("/corp.example/login/@v/list")).split("\n");
    assert.deepEqual([status, said], ["502", `upstream ${door.corp.url}: its version list has no version in it`]);
  });

  test("a module without releases has an empty list; without anything its latest is not found", async () => {
    door.corp.on("/corp.example/none/@v/list", { body: "" });
    assert.equal(await body(door, "/corp.example/none/@v/list"), "");
    assert.equal(await door.status("/corp.example/none/@latest"), 404);
  });

  test("a query goes to the upstream as it is, and is no file afterwards", async () => {
    const version = "v1.0.1-0.20240102030405-0123456789ab";
    const path = "corp.example/query";
    for (const query of ["main", "v1", "0123456", "upgrade", "feature.x", "!fix-1"]) {
      const asked = `${versionsPath({ path })}/${query}.info`;
      door.corp.on(asked, { body: JSON.stringify({ Version: version }) });
      assert.equal(await body(door, asked), `{"Version":"${version}","Time":"2024-01-02T03:04:05Z"}`, query);
      assert.equal(door.corp.count(asked), 1, query);
    }
    // Not even the version that was meant: nobody has asked for its own files.
    assert.equal(await door.status(filePath({ path, version }, "mod")), 404);
  });
});
