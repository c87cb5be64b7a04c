import assert from "node:assert/strict";
import { mkdirSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { UpstreamFailure } from "../../lambda/proxy/sources/upstream.ts";
import { whole } from "../../lambda/upstream/git/attributes/whole.ts";
import { directOver } from "../support/direct-upstream.ts";
import { hasGit, type RepositoryScript, RepositoryScript as Script, scratch } from "../support/git-repository.ts";
import { startGitServer } from "../support/git-server.ts";
import { skipWithoutGo } from "../support/go-command.ts";
import { GoDirect } from "../support/go-direct.ts";
import { mod } from "./rows/row.ts";

// The same go command twice, with GOPROXY=direct and with what modfront answers as a proxy: every form of query, those too that go
// resolves by itself out of a list.

const repositories: Readonly<Record<string, (r: RepositoryScript, path: string) => void>> = {
  tagged(r, path) {
    r.commit({ "go.mod": mod(path) });
    for (const tag of ["v0.9.0", "v1.0.0", "v1.0.1", "v1.2.0-rc.1", "v1.2.0"]) {
      r.tag(tag);
      r.commit({ "a.go": `package a\n// ${tag}\n` });
    }
    r.tag("v1.3.0-beta.1");
    r.commit({ "b.go": "package a\n" });
  },
  retracted(r, path) {
    r.commit({ "go.mod": mod(path) });
    r.tag("v1.0.0");
    r.commit({ "go.mod": mod(path, "retract [v1.1.0, v1.1.1]") });
    r.tag("v1.1.0");
    r.tag("v1.1.1");
    r.commit({ "b.go": "package a\n" });
  },
  "all-retracted"(r, path) {
    r.commit({ "go.mod": mod(path, "retract [v0.0.0, v9.0.0]") });
    r.tag("v1.0.0");
    r.commit({ "b.go": "package a\n" });
  },
  untagged(r, path) {
    r.commit({ "go.mod": mod(path) });
    r.commit({ "b.go": "package a\n" });
  },
  incompatible(r) {
    r.commit({ "a.go": "package a\n" });
    for (const tag of ["v1.0.0", "v2.0.0", "v3.0.0", "v3.1.0-rc.1"]) {
      r.tag(tag);
      r.commit({ "b.go": `package a\n// ${tag}\n` });
    }
  },
  prereleases(r, path) {
    r.commit({ "go.mod": mod(path) });
    r.tag("v1.0.0-alpha");
    r.commit({ "b.go": "package a\n" });
    r.tag("v1.0.0-beta");
  },
};

const queries = [
  ...["latest", "upgrade", "patch", "none", "v1", "v1.0", "v1.2", "v2", "v3", "v0"],
  ...[
    ">v1.0.0",
    ">=v1.0.0",
    "<v1.2.0",
    "<=v1.2.0",
    "<v0.1.0",
    ">v9.0.0",
    ">=v1.2.0-rc.1",
    "main",
    "HEAD",
    "master",
    "v1.0.2",
  ],
];

const folder = scratch("queries");
for (const name of ["repos", "direct", "proxied", "ours"]) mkdirSync(join(folder, name));
const server = await startGitServer(join(folder, "repos"));
const direct = directOver(join(folder, "ours"), server.url);
const proxy = createServer(async (request, response) => {
  try {
    const { chunks } = await direct.upstream.get(decodeURIComponent(request.url ?? ""), { limit: 600 << 20 });
    response.end(await whole(chunks));
  } catch (error) {
    const details = error instanceof UpstreamFailure ? error.details : undefined;
    response.writeHead(details?.status ?? 502).end(details?.text ?? String(error));
  }
});
await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
const insteadOf = { "https://example.com/": `${server.url}/` };
const GOPROXY = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
const straight = new GoDirect(join(folder, "direct"), { insteadOf });
const proxied = new GoDirect(join(folder, "proxied"), { insteadOf, environment: { GOPROXY } });
let questions = 0;
after(async () => {
  await direct.close();
  await server.close();
  proxy.closeAllConnections();
  proxy.close();
  rmSync(folder, { recursive: true, force: true });
  console.log(`${questions} queries by way of a proxy`);
});

for (const [name, build] of Object.entries(repositories)) {
  test(`what go makes of queries: ${name}`, { skip: hasGit ? skipWithoutGo : "git is not installed" }, async () => {
    const script = new Script();
    const path = `example.com/${name}.git`;
    build(script, path);
    script.build(join(folder, "repos", name));
    assert.deepEqual(await proxied.versions(path), await straight.versions(path));
    for (const query of queries) {
      const [ours, theirs] = [await proxied.download(`${path}@${query}`), await straight.download(`${path}@${query}`)];
      questions++;
      const said = (one: typeof ours) => [one.Version, one.Sum, one.GoModSum, one.Error !== undefined];
      assert.deepEqual(said(ours), said(theirs), `${query}: ${ours.Error} / ${theirs.Error}`);
      if (query === "main" || query === "HEAD") assert.deepEqual(ours.Origin, theirs.Origin, query);
    }
  });
}
