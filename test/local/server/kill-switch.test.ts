import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import { test } from "node:test";
import { DirectoryModuleStore } from "../../../lambda/local/data/directory-module-store.ts";
import { SqliteRulingStore } from "../../../lambda/local/data/sqlite-ruling-store.ts";
import { type FileKind, fileKey } from "../../../lambda/proxy/store/layout.ts";
import type { Ruling } from "../../../lambda/proxy/store/ruling-store.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { eventually } from "../../support/eventually.ts";
import { ModfrontProcess } from "../../support/modfront-process.ts";

// A version is blocked while many download it from two processes on one data folder. Ten seconds.

const stored = { path: "a.example/x", version: "v1.0.0" };

async function storeFiles(data: string): Promise<void> {
  const store = await DirectoryModuleStore.open(data, Date.now());
  const put = (kind: FileKind, bytes: Uint8Array) => store.create(fileKey(stored, kind), bytes);
  await put("info", Buffer.from('{"Version":"v1.0.0","Time":"2020-01-01T00:00:00Z"}'));
  await put("mod", Buffer.from("module a.example/x\n"));
  // Larger than what is kept as a small answer: it comes from the disk first, and then from memory.
  await put("zip", new Uint8Array(1 << 20).fill(7));
}

function block(more: Partial<Ruling> = {}): Ruling {
  const { path: module, version } = stored;
  const by = { by: "ann", at: 1, request: "r" };
  return { kind: "block", module, version, reason: "a stolen key signed it", ...by, ...more };
}

type Headers = Readonly<Record<string, string>>;

/** One connection that asks again and again. */
class Client {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #url: string;
  body = "";
  etag = "";

  constructor(url: string) {
    this.#url = url;
  }

  get(kind: string, headers: Headers = {}, method = "GET"): Promise<number> {
    const path = `${this.#url}/a.example/x/@v/v1.0.0.${kind}`;
    return new Promise((resolve, reject) => {
      const asked = request(path, { agent: this.#agent, method, headers, setDefaultHeaders: true }, (answer) => {
        this.etag = answer.headers.etag ?? this.etag;
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () => {
          this.body = Buffer.concat(chunks).toString("latin1");
          resolve(answer.statusCode ?? 0);
        });
        answer.on("error", reject);
      });
      asked.on("error", reject).end();
    });
  }

  /** The statuses of everything that can be asked about the version, in an order of its own. */
  async everything(): Promise<readonly number[]> {
    const ways: readonly (readonly [kind: string, headers?: Headers, method?: string])[] = [
      ["zip"],
      ["zip", { "if-none-match": this.etag || '"x"' }],
      ["zip", { range: "bytes=0-9" }],
      ["zip", {}, "HEAD"],
      ["mod"],
      ["info"],
    ];
    const statuses: number[] = [];
    for (const [kind, headers, method] of ways) statuses.push(await this.get(kind, headers, method));
    return statuses;
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Asks until an answer is the one that is waited for, then for everything. */
async function until(client: Client, status: number): Promise<readonly number[]> {
  await eventually(async () => (await client.get("zip")) === status);
  return await client.everything();
}

test("what is blocked while 32 connections download it is refused by both processes, and let go again", async (t) => {
  const data = dataFolder(t);
  await storeFiles(data);
  const rulings = new SqliteRulingStore(data);
  t.after(() => rulings.close());
  const start = () => ModfrontProcess.start("--data", data);
  const servers = [await start(), await start()];
  t.after(() => Promise.all(servers.map((server) => server[Symbol.asyncDispose]())));
  const clients = Array.from({ length: 32 }, (_, i) => new Client(servers[i % 2]?.url ?? ""));
  t.after(() => {
    for (const client of clients) client.close();
  });
  const all = (status: number) => Promise.all(clients.map((client) => until(client, status)));
  const served = [200, 304, 206, 200, 200, 200];
  for (const statuses of await all(200)) assert.deepEqual(statuses, served);

  const blocked = Date.now();
  await rulings.set(block());
  for (const statuses of await all(403)) assert.deepEqual(statuses, [403, 403, 403, 403, 403, 403]);
  t.diagnostic(`32 connections refused after ${Date.now() - blocked} ms`);
  assert.match(clients[0]?.body ?? "", /^blocked: a\.example\/x@v1\.0\.0: a stolen key signed it\nmodfront explain/);

  // It survives a restart, among 100,000 others.
  const others = Array.from({ length: 100_000 }, (_, i) => block({ module: `m${i}.example/y`, version: "" }));
  await rulings.change(others, []);
  await servers[0]?.stop();
  const again = await start();
  t.after(() => again[Symbol.asyncDispose]());
  const late = new Client(again.url);
  t.after(() => late.close());
  assert.deepEqual(await late.everything(), [403, 403, 403, 403, 403, 403]);

  await rulings.remove({ ...block(), at: 2 });
  assert.deepEqual(await until(late, 200), served);
  assert.deepEqual(await until(clients[1] as Client, 200), served);
});
