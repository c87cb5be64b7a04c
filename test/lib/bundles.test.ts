import assert from "node:assert/strict";
import { test } from "node:test";
import type { HandlerName } from "../../lambda/config/env.ts";
import { inspectBundle } from "../../lib/bundle.ts";

// What is loaded at every cold start of the serve plane: small, and only its own.

const limit = 350_000;
/** What writes has the clients of S3 and of the function of the log, what reads repositories and signs for GitHub Apps. */
const fillLimit = 760_000;
const readers = ["list", "latest", "info", "mod", "zip", "sumdb", "site"] as const;
const handlers: readonly HandlerName[] = [
  ...readers,
  "fill",
  "background",
  "log",
  "preheat",
  "publish",
  "control",
  "admin",
  "token",
  "rollback",
  "webhook",
  "purge",
];

const inspected = new Map<HandlerName, ReturnType<typeof inspectBundle>>();

function inspectOnce(name: HandlerName): ReturnType<typeof inspectBundle> {
  const bundle = inspected.get(name) ?? inspectBundle(name);
  inspected.set(name, bundle);
  return bundle;
}

function bundleOf(name: HandlerName) {
  const { metafile, outputFiles } = inspectOnce(name);
  const size = outputFiles.find(({ path }) => path.endsWith("index.mjs"))?.contents.length ?? Number.POSITIVE_INFINITY;
  const sources = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
  return { size, sources };
}

for (const name of readers) {
  test(`${name} is under 350 KB, without S3 client, zod, CDK and other handlers`, () => {
    const { size, sources } = bundleOf(name);
    assert.ok(size < limit, `${size} bytes`);
    const strangers = /node_modules\/(@aws-sdk\/(client-s3|client-sqs|s3-)|zod|aws-cdk|constructs|yauzl)/;
    assert.deepEqual(
      sources.filter((source) => strangers.test(source)),
      [],
    );
    const others = handlers.filter((other) => other !== name).map((other) => `lambda/${other}.ts`);
    assert.deepEqual(
      sources.filter((source) => others.includes(source)),
      [],
    );
    assert.deepEqual(
      sources.filter((source) => /^(lib|bin|test)\//.test(source)),
      [],
    );
    assert.deepEqual(
      sources.filter((source) => /lambda\/(upstream|local)\/|lambda\/aws\/s3-/.test(source)),
      [],
    );
  });
}

test("no handler has node load its second HTTP client, as an import of node:http does", () => {
  for (const name of handlers) {
    const { outputs, inputs } = inspectOnce(name).metafile;
    const outside = Object.values(outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
    const own = Object.values(inputs).flatMap(({ imports }) => imports);
    // `require` would get our few exports in place of all without being told what is missing.
    const ways = own.filter(({ path }) => path === "lambda/runtime/node-http.ts").map(({ kind }) => kind);
    assert.deepEqual(
      [outside.filter((path) => /^(node:)?http$/.test(path)), ways.includes("require-call")],
      [[], false],
    );
    assert.ok(ways.length > 0 && outside.includes("node:path"), name);
  }
});

test("only the fill plane has the code that reaches upstreams and writes modules", () => {
  // Documents of providers are read by the same client, and by nothing that could make a module of them; what of the credentials
  // admin has is their shape, and where they are kept.
  const writing =
    /lambda\/(upstream\/(?!http\/|credentials\/(?:credentials|credential-store|set-credential|url-scope|secret)\.ts)|aws\/dynamo-lease-store|proxy\/fill\/)/;
  const writers = handlers.filter((name) => bundleOf(name).sources.some((source) => writing.test(source)));
  assert.deepEqual(writers, ["fill", "background"]);
});

test("only the log's function has the code that appends to the log and signs it, and none that reaches upstreams", () => {
  const appending = /lambda\/(proxy\/log\/(own-log|appender|head-signing)\.ts|aws\/(kms-signer|dynamo-log-store))/;
  const appenders = handlers.filter((name) => bundleOf(name).sources.some((source) => appending.test(source)));
  assert.deepEqual(appenders, ["log"]);
  const { size, sources } = bundleOf("log");
  assert.ok(size < fillLimit, `${size} bytes`);
  assert.deepEqual(
    sources.filter((source) =>
      /lambda\/(upstream|proxy\/(fill|intake|sources))\/|client-(sqs|secrets-manager|lambda)\//.test(source),
    ),
    [],
  );
});

test("the control plane has no client of another function, none of S3 but for the audit log, and no code for rows of modules", () => {
  const clients = { control: /client-(?:s3|sqs|lambda)\//, admin: /client-(?:sqs|lambda)\// };
  for (const [name, strangers] of Object.entries(clients) as ["control" | "admin", RegExp][]) {
    const { sources } = bundleOf(name);
    assert.deepEqual(
      sources.filter((source) => strangers.test(source)),
      [],
    );
    // Of the table it knows the rows of tokens and of rulings; that it may reach no other is shown in control-plane.test.ts.
    const adapters = sources.filter((source) => /lambda\/aws\/(?:dynamo|s3)-/.test(source));
    assert.deepEqual(
      adapters.map((source) => source.replace(/.*\//, "")).toSorted(),
      [
        ...(name === "admin" ? ["dynamo-credential-store.ts", "s3-audit-events.ts", "s3-audit-log.ts"] : []),
        "dynamo-ruling-store.ts",
        "dynamo-token-records.ts",
      ].toSorted(),
    );
    assert.ok(
      !sources.some((source) =>
        /lambda\/(?:upstream\/(?!credentials)|proxy\/(?:fill|intake|log|upkeep))\//.test(source),
      ),
    );
  }
  assert.ok(bundleOf("admin").size < 1_000_000, `${bundleOf("admin").size} bytes`);
});

test("what gives tokens has the client of documents and no other of upstreams, no code for tokens' records and no schema", () => {
  const { size, sources } = bundleOf("token");
  assert.ok(size < 800_000, `${size} bytes`);
  const adapters = sources.filter((source) => /lambda\/aws\/(?:dynamo|s3)-/.test(source));
  assert.deepEqual(adapters.map((source) => source.replace(/.*\//, "")).sort(), [
    "dynamo-used-tokens.ts",
    "s3-audit-events.ts",
  ]);
  const strangers =
    /client-(?:sqs|lambda|kms)\/|lambda\/(?:upstream\/(?:git|direct)|upstream\/http\/(?:http-upstream|upstream-pool)|proxy\/(?:fill|intake|log|serve\/serve))/;
  assert.deepEqual(
    sources.filter((source) => strangers.test(source)),
    [],
  );
  const readers = handlers.filter((name) =>
    bundleOf(name).sources.some((each) => each.includes("upstream/http/open-documents")),
  );
  assert.deepEqual(readers, ["token"]);
});

test("what takes zips in neither reads nor writes a module, nor does it look into a zip", () => {
  const { size, sources } = bundleOf("publish");
  assert.ok(size < 1_000_000, `${size} bytes`);
  const adapters = sources.filter((source) => /lambda\/aws\/(?:dynamo|s3)-/.test(source));
  assert.deepEqual(adapters.map((source) => source.replace(/.*\//, "")).toSorted(), [
    "dynamo-version-index.ts",
    "s3-audit-events.ts",
    "s3-audit-log.ts",
    "s3-uploads.ts",
  ]);
  const strangers = /client-(?:sqs|kms)\/|lambda\/(?:upstream|local|proxy\/(?:fill|intake|log))\/|golang\/zip/;
  assert.deepEqual(
    sources.filter((source) => strangers.test(source)),
    [],
  );
});

test("fill and background are under 760 KB", () => {
  for (const name of ["fill", "background"] as const) {
    const { size } = bundleOf(name);
    assert.ok(size < fillLimit, `${name}: ${size} bytes`);
  }
});

test("no handler looks for credentials elsewhere than where Lambda puts them", () => {
  const elsewhere = /credential-provider-(?!env)|nested-clients|token-providers/;
  for (const name of handlers)
    assert.deepEqual(
      bundleOf(name).sources.filter((source) => elsewhere.test(source)),
      [],
    );
});

test("no handler brings the CDK or a schema, but for what administrators and publishers send", () => {
  for (const name of handlers.filter((each) => each !== "admin" && each !== "publish"))
    assert.deepEqual(
      bundleOf(name).sources.filter((source) => /node_modules\/(aws-cdk|constructs|zod)/.test(source)),
      [],
      name,
    );
});

test("what writes key values can sign for all regions at once, which nothing else could show before AWS", () => {
  for (const name of ["control", "admin"] as const)
    assert.ok(
      bundleOf(name).sources.some((source) => source.includes("signature-v4a/dist-es/SignatureV4a")),
      name,
    );
});

test("what hears of repositories proves who says so and fills a queue: no schema, no upstream, no module", () => {
  const { size, sources } = bundleOf("webhook");
  assert.ok(size < 600_000, `${size} bytes`);
  const adapters = sources.filter((source) => /lambda\/aws\/(?:dynamo|s3)-/.test(source));
  assert.deepEqual(adapters, ["lambda/aws/dynamo-used-tokens.ts"]);
  const strangers =
    /client-(?:lambda|kms|s3)\/|lambda\/(?:upstream\/(?!credentials\/secret)|proxy\/(?:fill|intake|log|upkeep))\//;
  assert.deepEqual(
    sources.filter((source) => strangers.test(source)),
    [],
  );
});

test("only what purges has the client of CloudFront", () => {
  const purging = handlers.filter((name) => bundleOf(name).sources.some((each) => /client-cloudfront\//.test(each)));
  assert.deepEqual(purging, ["purge"]);
  assert.ok(bundleOf("purge").size < 500_000, `${bundleOf("purge").size} bytes`);
});
