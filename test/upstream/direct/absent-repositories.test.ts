import assert from "node:assert/strict";
import { test } from "node:test";
import { UpstreamFailure } from "../../../lambda/proxy/sources/upstream.ts";
import { bearerAuthorization, noCredentials } from "../../../lambda/upstream/credentials/credentials.ts";
import { AbsentRepositories } from "../../../lambda/upstream/direct/absent-repositories.ts";
import { GitFailure } from "../../../lambda/upstream/git/pack/git-failure.ts";
import { openForwardProxies } from "../../../lambda/upstream/http/forward-proxy.ts";
import { HttpClient } from "../../../lambda/upstream/http/http-client.ts";
import { type Reply, ScriptedUpstream } from "../../support/scripted-upstream.ts";

interface World {
  readonly page: Reply;
  /** What `direct` ends with. */
  readonly status?: number;
  readonly cause?: Error;
  readonly module?: string;
  readonly known?: boolean;
}

/** The status that a chain sees, and whether the page at the repository's URL was asked for. */
async function outcome({
  page,
  status = 401,
  cause,
  module = "github.example/o/r",
  known = false,
}: World): Promise<string> {
  await using server = await ScriptedUpstream.start();
  server.on("/o/r", page);
  const client = new HttpClient({
    isTrusted: () => true,
    timeouts: { connect: 5_000, firstByte: 5_000, idle: 500 },
    userAgent: "modfront/test",
    proxies: openForwardProxies({}),
  });
  const upstream = new AbsentRepositories({
    direct: {
      name: "direct",
      get: async () => {
        throw new UpstreamFailure("status", "cannot read its repository", { cause, details: { status } });
      },
    },
    discovery: { find: async () => ({ kind: "git", url: `${server.url}/o/r`, root: module, directory: "" }) },
    visits: { to: (place) => ({ url: new URL(place), client, isTrusted: () => true, anonymous: false, forWhom: "" }) },
    credentials: known ? { authorize: async () => bearerAuthorization("t") } : noCredentials,
    isPrivate: (path) => path.startsWith("corp.example"),
  });
  try {
    await upstream.get(`/${module}/@v/list`, { limit: 100 });
    return "it answers";
  } catch (error) {
    const said = error instanceof UpstreamFailure ? error.details?.status : String(error);
    return `${said}, page asked ${server.count("/o/r")}`;
  } finally {
    await client.close();
  }
}

const hidden = new GitFailure("no-repository", "answered 404", { status: 404 });
const gone = new GitFailure("no-repository", "answered 410", { status: 410 });

const rows: readonly (readonly [what: string, world: World, expected: string])[] = [
  ["a repository that is not there", { page: { status: 404 } }, "404, page asked 1"],
  ["one that is gone", { page: { status: 410 } }, "404, page asked 1"],
  ["one that is closed", { page: { body: "sign in" } }, "401, page asked 1"],
  ["a host in trouble", { page: { status: 503 } }, "401, page asked 1"],
  ["a host that breaks off", { page: { fault: "reset-before" } }, "401, page asked 1"],
  // Its page is 404 although it is there: go would ask the next proxy for its name.
  ["a private module", { page: { status: 404 }, module: "corp.example/m" }, "401, page asked 0"],
  // And GitHub says 404 to credentials that do not open it.
  [
    "a private repository that is not shown",
    { page: {}, status: 404, cause: hidden, module: "corp.example/m", known: true },
    "401, page asked 0",
  ],
  ["one that is gone for good", { page: {}, status: 404, cause: gone, module: "corp.example/m" }, "404, page asked 0"],
  ["a private version that is not there", { page: {}, status: 404, module: "corp.example/m" }, "404, page asked 0"],
  ["a public repository that is not shown", { page: {}, status: 404, cause: hidden }, "404, page asked 0"],
  ["credentials that were refused", { page: { status: 404 }, known: true }, "401, page asked 0"],
  ["any other failure", { page: { status: 404 }, status: 503 }, "503, page asked 0"],
];

for (const [what, world, expected] of rows) test(what, async () => assert.equal(await outcome(world), expected));
