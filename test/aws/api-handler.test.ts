import assert from "node:assert/strict";
import { test } from "node:test";
import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { hmac } from "../../lambda/access/hmac.ts";
import { type ApiHandlerParts, createApiHandler } from "../../lambda/aws/api-handler.ts";
import { cacheTag, cacheTagHeader } from "../../lambda/aws/cache-tag.ts";
import { IdentityKeys } from "../../lambda/aws/identity-keys.ts";
import { requestHeader, viewerHeader } from "../../lambda/edge/cloudfront.ts";
import { identityHeader, signIdentity } from "../../lambda/edge/identity.ts";
import { anonymous, type Identity } from "../../lambda/edge/token.ts";
import type { HttpRequest } from "../../lambda/http/handler.ts";
import { failure, type HttpResult } from "../../lambda/http/result.ts";
import { ServedError } from "../../lambda/proxy/store/served-error.ts";
import { invocationOf } from "../support/through-stack.ts";

const key = "k".repeat(43);
const now = 1_700_000_000_000;
const path = "/github.com/!azure/x/@v/v1.0.0+incompatible.zip";
const escaped = path.replace("+", "%2B");

function identity(who: Identity = anonymous, at = now / 1000): string {
  return signIdentity(who, key, at, hmac);
}

function event(headers: Record<string, string>, rawPath = `/zip${path}`, method = "GET"): APIGatewayProxyEventV2 {
  const requestContext = { http: { method }, requestId: "r1", timeEpoch: now - 700 };
  return { rawPath, headers, requestContext } as unknown as APIGatewayProxyEventV2;
}

type Answer = (request: HttpRequest) => HttpResult;

/** Asks the zip function, whose use-case gives `answer`. */
async function ask(
  asked: APIGatewayProxyEventV2,
  answer: Answer,
  access?: ApiHandlerParts["access"],
  channels: readonly string[] = [],
) {
  const lines: string[] = [];
  const begun: number[] = [];
  const handler = createApiHandler({
    name: "zip",
    handlers: { zip: async (request) => answer(request) },
    identityKeys: new IdentityKeys(
      async () => JSON.stringify({ identityKey: key }),
      () => now,
    ),
    access: access ?? { anonymous: "all", private: "" },
    now: () => now,
    begin: (receivedAt) => void begun.push(receivedAt),
    traceId: () => "trace",
    version: "7",
    channels,
    write: (line) => void lines.push(line),
  });
  const { statusCode, headers, body } = await handler(asked, invocationOf());
  const text = Buffer.from(body ?? "", "base64").toString();
  return { status: statusCode, headers, body: text, log: JSON.parse(lines[0] ?? "{}"), lines, begun };
}

const fine: Answer = () => ({
  kind: "answer",
  status: 200,
  headers: { "content-type": "a/b", etag: '"t"' },
  body: Buffer.from("body"),
});
const stored: Answer = () => ({
  kind: "answer",
  status: 200,
  headers: {},
  body: { stored: path.slice(1), size: 9e6, links: { GET: "https://s3/x", HEAD: "https://s3/head" } },
});
const unlinked: Answer = () => ({
  kind: "answer",
  status: 200,
  headers: {},
  body: { stored: path.slice(1), size: 9e6 },
});
const slow: Answer = () => failure(new ServedError("fill-timeout", "slow"));

test("an answer goes out as it is, with its bytes", async () => {
  const { status, headers, body } = await ask(event({ [identityHeader]: identity() }), fine);
  assert.deepEqual(
    { status, headers, body },
    {
      status: 200,
      // Under the module's tag, by which CloudFront is told to forget it.
      headers: { "content-type": "a/b", etag: '"t"', [cacheTagHeader]: cacheTag("github.com/Azure/x") },
      body: "body",
    },
  );
});

test("its line has the request's id at the edge, where it is one", async () => {
  const of = async (request: string) =>
    (await ask(event({ [identityHeader]: identity(), "x-modfront-request": request }), fine)).log;
  const id = "EXAMPLEntjQpEXAMPLE_SG5Z-EXAMPLEPmPfEXAMPLEu3EqEXAMPLE==";
  assert.deepEqual([(await of(id)).requestId, (await of(id)).request], ["r1", id]);
  for (const other of ["", "a b", 'a"', "x".repeat(101), "a\u2028"]) assert.equal((await of(other)).request, undefined);
});

test("patience counts from when the API received the request", async () => {
  assert.deepEqual((await ask(event({ [identityHeader]: identity() }), fine)).begun, [now - 700]);
});

test("a row of the site is given query, body and from where, of which only CloudFront can tell", async () => {
  const rows: readonly (readonly [viewer: string | undefined, address: string])[] = [
    ["198.51.100.7:46532", "198.51.100.7"],
    ["2001:db8::7:46532", "2001:db8::7"],
    ["[2001:db8::7]:46532", "2001:db8::7"],
    [undefined, ""],
    ["198.51.100.7", ""],
    ["<script>:1", ""],
    [`${"1".repeat(60)}:1`, ""],
  ];
  for (const [viewer, address] of rows) {
    const [edgeHeader, request] = viewer === undefined ? [{}, "r1"] : [{ [requestHeader]: "e-1=" }, "e-1="];
    const headers = {
      [identityHeader]: identity(),
      ...edgeHeader,
      ...(viewer !== undefined && { [viewerHeader]: viewer }),
    };
    for (const [body, isBase64Encoded] of [
      ['{"ü":1}', false],
      [Buffer.from('{"ü":1}').toString("base64"), true],
    ] as const) {
      const asked = { ...event(headers), rawQueryString: "limit=5&after=a%20b", body, isBase64Encoded };
      const seen: unknown[] = [];
      await ask(asked, (request) => {
        seen.push(request.query, request.origin);
        void Promise.all([request.body?.(8), request.body?.(7)]).then((bodies) => seen.push(...bodies));
        return fine(request);
      });
      const origin = { request, address };
      assert.deepEqual(seen, ["limit=5&after=a%20b", origin, Buffer.from('{"ü":1}'), undefined]);
    }
  }
});

test("the use-case is given the path without the origin path, and the method", async () => {
  const seen: unknown[] = [];
  const look: Answer = (request) => {
    seen.push([request.method, request.routed.path, request.wait]);
    return fine(request);
  };
  await ask(event({ [identityHeader]: identity() }), look);
  await ask(event({ [identityHeader]: identity(), "x-modfront-wait": "3" }, `/zip${path}`, "HEAD"), look);
  assert.deepEqual(seen, [
    ["GET", path, undefined],
    ["HEAD", path, 3],
  ]);
});

const redirects: readonly (readonly [
  what: string,
  wait: string | undefined,
  answer: Answer,
  location: string | undefined,
  code: string | undefined,
])[] = [
  ["a stored file: back to its own address", undefined, stored, `${escaped}?wait=1`, undefined],
  ["a stored file, asked again: straight to the file", "1", stored, "https://s3/x", undefined],
  ["a stored file without an address, asked again", "1", unlinked, `${escaped}?wait=2`, undefined],
  ["a fill that takes long", undefined, slow, `${escaped}?wait=1`, "fill-timeout"],
  ["a fill that takes longer", "7", slow, `${escaped}?wait=8`, "fill-timeout"],
  ["a fill that takes too long", "8", slow, undefined, "fill-timeout"],
];

for (const [what, wait, answer, location, code] of redirects) {
  test(what, async () => {
    const waiting = wait === undefined ? {} : { "x-modfront-wait": wait };
    const { status, headers, log } = await ask(event({ [identityHeader]: identity(), ...waiting }), answer);
    assert.equal(status, location === undefined ? 504 : 302);
    assert.equal(headers?.location, location);
    assert.equal(headers?.["cache-control"], "no-store");
    assert.deepEqual([log.status, log.code], [status, code]);
  });
}

test("a link is signed for one method: HEAD has its own", async () => {
  const headers = { [identityHeader]: identity(), "x-modfront-wait": "1" };
  const { headers: answered } = await ask(event(headers, `/zip${path}`, "HEAD"), stored);
  assert.equal(answered?.location, "https://s3/head");
});

const viewer: Identity = { id: "1", role: "viewer", subject: "s", modules: "github.com/Corp" };
const refusals: readonly (readonly [
  what: string,
  headers: Record<string, string>,
  rawPath?: string,
  status?: number,
])[] = [
  ["no identity", {}],
  ["an identity of another key", { [identityHeader]: signIdentity(anonymous, "x".repeat(43), now / 1000, hmac) }],
  ["an identity of more than a minute ago", { [identityHeader]: identity(anonymous, now / 1000 - 61) }],
  [
    "a private module that no pattern covers",
    { [identityHeader]: identity({ ...viewer, modules: "github.com/Else" }) },
  ],
  ["a path of another function", { [identityHeader]: identity(viewer) }, "/zip/github.com/x/@v/list", 404],
  ["a path that is none", { [identityHeader]: identity(viewer) }, "/zip/Upper/@v/v1.0.0.zip", 400],
];

for (const [what, headers, rawPath = `/zip/github.com/!corp/x/@v/v1.0.0.zip`, expected = 403] of refusals) {
  test(`refused, the edge or not: ${what}`, async () => {
    const access = { anonymous: "none", private: "github.com/Corp" } as const;
    const { status, body } = await ask(event(headers, rawPath), fine, access);
    assert.equal(status, expected);
    assert.doesNotMatch(body, /body/);
  });
}

test("what the token covers is answered", async () => {
  const access = { anonymous: "none", private: "github.com/Corp" } as const;
  const asked = event({ [identityHeader]: identity(viewer) }, "/zip/github.com/!corp/x/@v/v1.0.0.zip");
  assert.equal((await ask(asked, fine, access)).status, 200);
});

test("one line of log with metrics, and nothing in it that identifies the caller", async () => {
  const header = identity(viewer);
  const asked = event({ [identityHeader]: header, authorization: "Basic c2VjcmV0" });
  const forged = new ServedError("checksum-mismatch", "SECURITY ERROR", { cause: new Error("why") });
  const { lines, log } = await ask(asked, () => failure(forged));
  assert.equal(lines.length, 1);
  assert.deepEqual(
    [log.Handler, log.path, log.status, log.code, log.error, log.traceId, log.Requests, log.Alarming],
    ["zip", path, 403, "checksum-mismatch", "SECURITY ERROR (why)", "trace", 1, 1],
  );
  const [{ Namespace, Metrics }] = log._aws.CloudWatchMetrics;
  assert.deepEqual([Namespace, Metrics.length], ["modfront", 3]);
  assert.doesNotMatch(lines[0] ?? "", /c2VjcmV0|viewer/);
  assert.ok(!lines[0]?.includes(header));
});

test("a token that somebody sends as a part of a path is not logged", async () => {
  const token = `mf_${"aB-_9".repeat(20)}.${"c_-D".repeat(10)}`;
  const { lines, log } = await ask(event({}, `/site/-/api/tokens/${token}`, "DELETE"), fine);
  assert.equal(log.path, "/-/api/tokens/mf_");
  assert.ok(!lines.join().includes(token));
});

test("a rotated key is found by reading the secret again, but not for every forgery", async () => {
  let time = now;
  let reads = 0;
  const secrets = [{ identityKey: "old".repeat(15) }, { identityKey: key, previousIdentityKey: "old".repeat(15) }];
  const keys = new IdentityKeys(
    async () => JSON.stringify(secrets[Math.min(reads++, 1)]),
    () => time,
  );
  const refused = new Error("not signed with that key");
  const accept = (known: readonly string[]) => {
    if (!known.includes(key)) throw refused;
  };
  await assert.rejects(keys.use(accept), refused);
  await assert.rejects(keys.use(accept), refused);
  assert.equal(reads, 1);
  time += 10_001;
  await keys.use(accept);
  assert.equal(reads, 2);
});

test("in a channel it is known which, what differs by it goes by the cache's key, and redirects lead back into it", async () => {
  const seen: unknown[] = [];
  const look: Answer = (request) => {
    seen.push([request.channel, request.view, request.address]);
    return slow(request);
  };
  const told = (via: string, channel?: string) =>
    ask(
      event({
        [identityHeader]: identity(),
        "x-modfront-via": via,
        ...(channel !== undefined && { "x-modfront-channel": channel }),
      }),
      look,
    );
  const named = await told(`canary /~canary${escaped}`);
  assert.equal(named.headers?.location, `/~canary${escaped}?wait=1`);
  await told("canary /a.b/@v/%C3%A9.info", "canary");
  await told(" /~ended/a.b/@v/list");
  // What nobody but the edge could write is not what it writes.
  for (const odd of ["canary", "canary x", "Canary /x", `${"c".repeat(33)} /x`, "canary /%zz", "canary //host"])
    await told(odd);
  const nothing = [undefined, undefined, undefined];
  assert.deepEqual(seen, [
    ["canary", undefined, `/~canary${path}`],
    ["canary", "canary", "/a.b/@v/é.info"],
    ["", undefined, "/~ended/a.b/@v/list"],
    ...Array.from({ length: 6 }, () => nothing),
  ]);
});

test("answers are counted by channel, those in none as the default's, and none that somebody made up", async () => {
  const counted = async (via: string | undefined, answer: Answer, channels?: readonly string[]) => {
    const headers = { [identityHeader]: identity(), ...(via !== undefined && { "x-modfront-via": via }) };
    const { log } = await ask(event(headers), answer, undefined, channels);
    const byChannel = log._aws.CloudWatchMetrics.filter((each: { Dimensions: string[][] }) =>
      each.Dimensions.some(([name]) => name === "Channel"),
    );
    assert.equal(byChannel.length, log.Channel === undefined ? 0 : 1);
    return [log.Channel, log.ChannelRequests, log.ChannelRefusals, log.ChannelFailures];
  };
  const refused: Answer = () => failure(new ServedError("forbidden", "no"));
  const nothing = [undefined, undefined, undefined, undefined];
  assert.deepEqual(await counted("canary /x", fine), nothing);
  assert.deepEqual(await counted("canary /x", fine, ["canary"]), ["canary", 1, 0, 0]);
  assert.deepEqual(await counted("canary /x", refused, ["canary"]), ["canary", 1, 1, 0]);
  assert.deepEqual(await counted(" /~canary/x", fine, ["canary"]), ["default", 1, 0, 0]);
  assert.deepEqual(await counted(undefined, () => failure(new Error("?")), ["canary"]), ["default", 1, 0, 1]);
  assert.deepEqual(await counted("made-up /x", fine, ["canary"]), nothing);
});
