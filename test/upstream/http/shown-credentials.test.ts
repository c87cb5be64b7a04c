import assert from "node:assert/strict";
import { test } from "node:test";
import { readBody } from "../../../lambda/proxy/sources/module-source.ts";
import { UpstreamFailure } from "../../../lambda/proxy/sources/upstream.ts";
import { bearerAuthorization, type Credentials } from "../../../lambda/upstream/credentials/credentials.ts";
import { openUpstreams } from "../../../lambda/upstream/http/open-upstreams.ts";
import { ScriptedUpstream } from "../../support/scripted-upstream.ts";

// How an upstream is asked with credentials that may have been replaced.

/** GETs `/f` of the scripted server and says what became of it, and what it was shown each time. */
async function outcome(server: ScriptedUpstream, credentials: Credentials): Promise<string> {
  const config = { upstreams: [{ patterns: ["*"], chain: server.url }], private: [], allowHosts: [] };
  const upstreams = openUpstreams(config, { now: () => 0, version: "1", credentials: () => credentials });
  const [step] = upstreams.catchAll.steps;
  const end = await step?.upstream.get("/f", { limit: 100 }).then(
    async (body) => Buffer.from(await readBody(body)).toString(),
    (error: unknown) => (error instanceof UpstreamFailure ? `${error.code} ${error.message}` : String(error)),
  );
  await upstreams.close();
  return [end, ...server.requests.map(({ headers }) => headers.authorization)].join("; ");
}

/** `first`, and `next` when that was refused. */
function replaced(first: string, next: string, known = true): Credentials {
  let current = first;
  const renew = async () => {
    current = next;
    return known;
  };
  return { authorize: async () => bearerAuthorization(current, renew) };
}

const rows: readonly (readonly [what: string, taken: string, known: boolean, expected: string])[] = [
  ["what is taken is shown once", "one", true, "body; Bearer one"],
  ["what was replaced is shown anew", "two", true, "body; Bearer one; Bearer two"],
  ["once, and no more", "three", true, "status answered 401; Bearer one; Bearer two"],
  ["where nothing is new it stays", "two", false, "status answered 401; Bearer one"],
];

for (const [what, taken, known, expected] of rows) {
  test(what, async () => {
    await using server = await ScriptedUpstream.start();
    server.otherwise(({ headers }) =>
      headers.authorization === `Bearer ${taken}` ? { body: "body" } : { status: 401 },
    );
    assert.equal(await outcome(server, replaced("one", "two", known)), expected);
  });
}

test("nothing is asked without the credentials that there should be", async () => {
  await using server = await ScriptedUpstream.start();
  const authorize = () => Promise.reject(new UpstreamFailure("unreachable", "cannot be asked, because x is away"));
  assert.equal(await outcome(server, { authorize }), "unreachable cannot be asked, because x is away");
});
