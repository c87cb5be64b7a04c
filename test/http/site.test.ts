import assert from "node:assert/strict";
import { test } from "node:test";
import { everyone, operators, readers } from "../../lambda/edge/permit.ts";
import { anonymous, type Identity } from "../../lambda/edge/token.ts";
import { matchAddress } from "../../lambda/http/address.ts";
import { frame } from "../../lambda/http/frame.ts";
import { textAnswer } from "../../lambda/http/probes.ts";
import type { Route } from "../../lambda/http/route.ts";
import { siteHandler } from "../../lambda/http/site.ts";
import { siteRows } from "../support/judgement.ts";

test("an address says which paths are its own, and what they name", () => {
  const blocks = "/-/api/blocks/<module>[@<version>]";
  const publish = "/-/publish/<module>/@v/<version>.zip";
  const rows: readonly (readonly [address: string, path: string, parameters: Record<string, string> | undefined])[] = [
    ["/-/live", "/-/live", {}],
    ["/-/live", "/-/live/", undefined],
    ["/-/live", "/-/alive", undefined],
    ["/", "/", {}],
    ["/-/webhook/<name>", "/-/webhook/forge", { name: "forge" }],
    ["/-/webhook/<name>", "/-/webhook/a/b", undefined],
    ["/-/webhook/<name>", "/-/webhook/", undefined],
    ["/-/api/tokens/<id>", "/-/api/tokens/abc123", { id: "abc123" }],
    ["/-/stats/<module>", "/-/stats/github.com/!azure/x", { module: "github.com/Azure/x" }],
    ["/-/stats/<module>", "/-/stats/github.com/Azure/x", undefined], // only !x names it
    ["/-/stats/<module>", "/-/stats/github.com/azure/x@v1.0.0", undefined],
    ["/-/badge/<module>.svg", "/-/badge/gopkg.in/yaml.v3.svg", { module: "gopkg.in/yaml.v3" }],
    ["/-/badge/<module>.svg", "/-/badge/gopkg.in/yaml.v3", undefined],
    [blocks, "/-/api/blocks/a.b/c", { module: "a.b/c" }],
    [blocks, "/-/api/blocks/a.b/c@v1.0.0-!r!c1", { module: "a.b/c", version: "v1.0.0-RC1" }],
    [blocks, "/-/api/blocks/a.b/c@", undefined],
    [blocks, "/-/api/blocks/a.b/c@v1@v2", undefined],
    [blocks, "/-/api/blocks/a.b/c@v1/d", undefined],
    [publish, "/-/publish/a.b/c/v2/@v/v2.0.0+x.zip", { module: "a.b/c/v2", version: "v2.0.0+x" }],
    [publish, "/-/publish/a.b/c/@v/v1.0.0.mod", undefined],
    ["/-/api/modules/<module>/@v/<version>", "/-/api/modules/a.b/@v/v1.0.0", { module: "a.b", version: "v1.0.0" }],
    ["/-/api/credentials/<path>", "/-/api/credentials/git.corp.example/a", { path: "git.corp.example/a" }],
    ["/-/a.b/(c)", "/-/aXb/c", undefined],
    ["/-/a.b/(c)", "/-/a.b/(c)", {}],
  ];
  for (const [address, path, parameters] of rows)
    assert.deepEqual(matchAddress(address)(path), parameters, `${address} ${path}`);
});

test("no address takes a path of 3 KB more than a moment to refuse", () => {
  const match = matchAddress("/-/publish/<module>/@v/<version>.zip");
  for (const piece of ["/", "a/", ".zip", "/@v/", "@", "!a"])
    for (let i = 0; i < 200; i++) assert.equal(match(`/-/publish/${piece.repeat(3_000 / piece.length)}\n`), undefined);
});

const viewer: Identity = { id: "abc123", role: "viewer", subject: "gopher", modules: "corp.example/a" };
const operator: Identity = { ...viewer, role: "operator" };

/** Rows as capabilities to come will have them: several methods, a module in the address. */
const rows: readonly Route[] = [
  row("block", "/-/api/blocks/<module>[@<version>]", ["PUT", "DELETE"], operators),
  row("stats", "/-/stats/<module>", ["GET", "HEAD"], readers),
  row("modules", "/-/api/modules", ["GET"], readers),
  row("import", "/-/api/modules", ["POST"], operators),
  row("live", "/-/live", ["GET", "HEAD"], everyone),
];

function row(name: string, address: string, methods: readonly string[], access: Route["access"]): Route {
  const handler: Route["handler"] = async ({ parameters }) => textAnswer(`${name} ${JSON.stringify(parameters)}`);
  return { name, address, methods, access, output: { contentType: "text/plain; charset=utf-8", about: "." }, handler };
}

test("a request is answered by the row of its method and address, by whom its role and its module may", async () => {
  const handler = siteHandler(rows, { anonymous: "public", private: "corp.example" });
  const table: readonly (readonly [method: string, path: string, identity: Identity, said: string])[] = [
    ["PUT", "/-/api/blocks/a.b@v1", operator, '200 block {"module":"a.b","version":"v1"}'],
    ["DELETE", "/-/api/blocks/a.b", operator, '200 block {"module":"a.b"}'],
    ["PUT", "/-/api/blocks/a.b", viewer, "403 token abc123 has the role viewer, which may not do this"],
    ["PUT", "/-/api/blocks/a.b", anonymous, "401 this needs a modfront token, as the password with any user name"],
    ["GET", "/-/api/blocks/a.b", anonymous, "405 this address has other methods [PUT, DELETE]"],
    ["POST", "/-/api/modules", operator, "200 import {}"],
    ["GET", "/-/api/modules", anonymous, "200 modules {}"],
    ["PATCH", "/-/api/modules", operator, "405 this address has other methods [GET, POST]"],
    ["GET", "/-/stats/a.b", anonymous, '200 stats {"module":"a.b"}'],
    ["GET", "/-/stats/corp.example/a/b", viewer, '200 stats {"module":"corp.example/a/b"}'],
    ["GET", "/-/stats/corp.example/b", viewer, "403 token abc123 does not cover this private module"],
    [
      "GET",
      "/-/stats/corp.example/b",
      anonymous,
      "401 this needs a modfront token, as the password with any user name",
    ],
    ["HEAD", "/-/live", anonymous, "200 live {}"],
    ["POST", "/-/live", anonymous, "405 this address is only read [GET, HEAD]"],
    ["GET", "/-/other", operator, "404 this is not a path of the module proxy protocol"],
  ];
  for (const [method, path, identity, said] of table) {
    const result = await handler({ method, routed: { route: "site", path }, headers: {}, identity });
    const { status, headers, body } = frame(result);
    const allow = headers.allow === undefined ? "" : ` [${headers.allow}]`;
    const text = Buffer.from(body as Uint8Array)
      .toString()
      .split(":")[0];
    assert.equal(`${status} ${status === 200 ? Buffer.from(body as Uint8Array) : text?.trim()}${allow}`, said, path);
    assert.equal(result.kind === "answer" && result.route, status === 200 ? said.split(" ")[1] : undefined);
  }
});

test("each row answers with the content type that it says", async () => {
  for (const { name, handler, output, address } of siteRows) {
    const request = {
      method: "GET",
      routed: { route: "site", path: address },
      headers: {},
      identity: anonymous,
    } as const;
    assert.equal(frame(await handler(request)).headers["content-type"], output.contentType, name);
  }
});

test("no two rows have the same name, or the same method of an address", () => {
  const names = siteRows.map(({ name }) => name);
  const asked = siteRows.flatMap(({ address, methods }) => methods.map((method) => `${method} ${address}`));
  assert.deepEqual([new Set(names).size, new Set(asked).size], [names.length, asked.length]);
});
