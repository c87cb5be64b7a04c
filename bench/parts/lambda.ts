import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { hmac } from "../../lambda/access/hmac.ts";
import { parseConfig } from "../../lambda/config/config.ts";
import type { ServeName } from "../../lambda/config/env.ts";
import { identityHeader, signIdentity } from "../../lambda/edge/identity.ts";
import { anonymous } from "../../lambda/edge/token.ts";
import { generateKey } from "../../lambda/golang/note.ts";
import { bundleHandler } from "../../lib/bundle.ts";
import type { Bench } from "../part.ts";
import { median } from "../report.ts";

// A cold start of each function behind the API: a new node imports its bundle and gives one answer, with AWS answering at
// once. What Lambda itself needs to begin is not in it, and is the same for a function that does nothing.

const runs = 20;

/** What Lambda's runtime does, as far as it takes time: import the bundle, hand it the event. */
const driver = `
  const { handler } = await import(process.argv[1]);
  const { statusCode } = await handler(JSON.parse(process.argv[2]));
  process.exit(statusCode < 400 ? 0 : 1);
`;
const key = "k".repeat(43);
const file = "example.com/m/@v/v1.0.0";

const paths: Readonly<Record<ServeName, string>> = {
  list: "/list/example.com/m/@v/list",
  latest: "/latest/example.com/m/@latest",
  info: `/info/${file}.info`,
  mod: `/mod/${file}.mod`,
  zip: `/zip/${file}.zip`,
  sumdb: "/sumdb/sumdb/sum.golang.org/supported",
  site: "/site/-/live",
};

export async function measureLambda(bench: Bench): Promise<void> {
  const { private: own, ttl, sumdb, access, log, tenants } = parseConfig('{"access":{"anonymous":"all"}}');
  const aws = await startAws();
  const names = Object.keys(paths) as ServeName[];
  const bundles = names.map(
    (name) =>
      [name, bundleHandler(name, { private: own, ttl, sumdb, access, log, tenants, channels: [], apart: [] })] as const,
  );
  try {
    for (let round = 0; round < bench.rounds; round++) {
      bench.add(row, "bare node", { "p50, ms": await medianOf(() => runNode(["-e", "0"], {})) });
      for (const [name, folder] of bundles)
        bench.add(row, name, { "p50, ms": await medianOf(() => firstAnswer(folder, paths[name], aws.url)) });
    }
  } finally {
    aws.close();
  }
}

const row = "import and first answer";

async function medianOf(measure: () => Promise<number>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) times.push(await measure());
  return median(times);
}

function firstAnswer(folder: string, rawPath: string, endpoint: string): Promise<number> {
  const identity = signIdentity(anonymous, key, Math.floor(Date.now() / 1000), hmac);
  const requestContext = { http: { method: "GET" }, requestId: "1" };
  const event = JSON.stringify({ rawPath, headers: { [identityHeader]: identity }, requestContext });
  const index = pathToFileURL(join(folder, "index.mjs")).href;
  return runNode(["--input-type=module", "-e", driver, index, event], {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "bench",
    AWS_SECRET_ACCESS_KEY: "bench",
    MODFRONT_TABLE: "table",
    MODFRONT_FILL: "fill",
    MODFRONT_EDGE_SECRET: "secret",
    MODFRONT_GOSUMDB: generateKey("bench.modfront").vkey,
  });
}

/** The milliseconds until a new node has ended. */
async function runNode(args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  const started = performance.now();
  const node = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  node.stderr.on("data", (chunk) => {
    said += chunk;
  });
  const [code] = await once(node, "close");
  if (code !== 0) throw new Error(`the first answer failed: ${said.slice(0, 500)}`);
  return performance.now() - started;
}

/** Answers whatever these functions ask of AWS: the secret, an index without memories, a fill that has the file. */
async function startAws(): Promise<{ readonly url: string; close(): void }> {
  const server = createServer(async (request, response) => {
    await request.resume().toArray();
    response.setHeader("content-type", "application/x-amz-json-1.1").end(JSON.stringify(answerTo(request)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

function answerTo({ headers, url = "" }: IncomingMessage): unknown {
  if (url.includes("/invocations")) return { body: Buffer.from("v1.0.0\n").toString("base64"), freshUntil: 1 };
  const target = String(headers["x-amz-target"]);
  if (target.endsWith(".GetSecretValue")) return { SecretString: JSON.stringify({ identityKey: key }) };
  if (target.endsWith(".Query")) return { Items: [], Count: 0 };
  throw new Error(`nobody should ask for ${url} ${target}`);
}
