import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type HitLane, openHitLane } from "../../../lambda/local/server/hit-lane.ts";
import { type ReadyResponse, readyResponse } from "../../../lambda/local/server/ready-responses.ts";
import { eventually } from "../../support/eventually.ts";
import { RawClient } from "../../support/raw-client.ts";

// Which requests are answered in the lane, and that a client cannot tell where its answer came from.

const forever = Number.POSITIVE_INFINITY;
const large = Buffer.alloc(200_000, "0123456789");
const responses: Readonly<Record<string, ReadyResponse>> = {
  "/small": readyResponse({ etag: '"s"', "content-type": "text/plain" }, '"s"', Buffer.from("small\n"), forever),
  "/large": readyResponse({ etag: '"l"' }, '"l"', large, forever),
  "/huge": readyResponse({ etag: '"h"' }, '"h"', new Uint8Array(20 << 20), forever),
};

interface Opened {
  readonly server: Server;
  readonly lane: HitLane;
  readonly port: number;
  /** Targets answered in the lane, and those that node:http saw. */
  readonly inLane: string[];
  readonly onward: string[];
  /** Resolves when the connection that came last has read so many bytes; false when that takes longer than `within`. */
  hasRead(bytes: number, within?: number): Promise<boolean>;
}

async function open(t: TestContext, patience = { first: 5_000, next: 5_000 }): Promise<Opened> {
  const [inLane, onward]: [string[], string[]] = [[], []];
  const timing = { keepAliveTimeout: patience.next, headersTimeout: 300, connectionsCheckingInterval: 50 };
  const server = createServer(timing, (request, response) => {
    onward.push(`${request.method} ${request.url}`);
    const ready = responses[request.url ?? ""];
    request.resume().on("end", () => {
      if (request.url === "/slow") return setTimeout(() => response.writeHead(204).end(), 200);
      if (ready === undefined) return response.writeHead(404, { "content-length": 0 }).end();
      response.writeHead(200, ready.headers as string[]);
      response.end(ready.body);
    });
  });
  const find = (target: string) => responses[target];
  const lane = openHitLane(server, { find, answered: (target) => inLane.push(target), now: Date.now, patience });
  let last: Socket | undefined;
  server.on("connection", (socket) => {
    last = socket;
  });
  const hasRead = async (bytes: number, within = 5_000) => {
    for (const end = Date.now() + within; (last?.bytesRead ?? 0) < bytes; await sleep(1))
      if (Date.now() > end) return false;
    return true;
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
    lane.close();
  });
  return { server, lane, port: (server.address() as AddressInfo).port, inLane, onward, hasRead };
}

const host = "Host: 127.0.0.1\r\n";

const plain: readonly (readonly [client: string, headers: string])[] = [
  ["wrk", host],
  ["go", `${host}User-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n`],
  ["curl", `${host}User-Agent: curl/8.0\r\nAccept: */*\r\n`],
  ["node:http", `${host}Connection: keep-alive\r\n`],
  ["small letters", "host: x:8080\r\nconnection: Keep-Alive\r\naccept:\r\n"],
];

for (const [client, headers] of plain) {
  test(`${client} is answered in the lane, as node:http would answer`, async (t) => {
    const { port, inLane, onward } = await open(t);
    for (const target of ["/small", "/large"]) {
      const [first, second] = [new RawClient(port), new RawClient(port)];
      first.socket.write(`GET ${target} HTTP/1.1\r\n${headers}\r\n`);
      second.socket.write(`GET ${target} HTTP/1.1\r\n${headers}X: y\r\n\r\n`);
      assert.deepEqual(await first.answer(), await second.answer());
    }
    assert.deepEqual(
      [inLane, onward],
      [
        ["/small", "/large"],
        ["GET /small", "GET /large"],
      ],
    );
  });
}

/** What is sent on a connection, a part at a time; who must have seen what. */
const rows: readonly (readonly [what: string, parts: readonly string[], inLane: number, onward: readonly string[]])[] =
  [
    [
      "two hits, one after the other",
      [`GET /small HTTP/1.1\r\n${host}\r\n`, `GET /large HTTP/1.1\r\n${host}\r\n`],
      2,
      [],
    ],
    ["a target that is not ready", [`GET /other HTTP/1.1\r\n${host}\r\n`], 0, ["GET /other"]],
    ["a query", [`GET /small?x HTTP/1.1\r\n${host}\r\n`], 0, ["GET /small?x"]],
    ["HEAD", [`HEAD /other HTTP/1.1\r\n${host}\r\n`], 0, ["HEAD /other"]],
    ["a condition", [`GET /small HTTP/1.1\r\n${host}If-None-Match: "s"\r\n\r\n`], 0, ["GET /small"]],
    ["a range", [`GET /small HTTP/1.1\r\n${host}Range: bytes=0-1\r\n\r\n`], 0, ["GET /small"]],
    ["credentials", [`GET /small HTTP/1.1\r\n${host}Authorization: Basic eDp5\r\n\r\n`], 0, ["GET /small"]],
    ["a body", [`GET /small HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nGET /`], 0, ["GET /small"]],
    ["POST", [`POST /small HTTP/1.1\r\n${host}Content-Length: 1\r\n\r\nx`], 0, ["POST /small"]],
    ["half a request, and the other half", ["GET /small HTTP/1.1\r\nHo", `st: x\r\n\r\n`], 0, ["GET /small"]],
    ["a byte at a time", [..."GET /small HTTP/1.1\r\nHost: x\r\n\r\n"], 0, ["GET /small"]],
    [
      "two requests at once",
      [`GET /small HTTP/1.1\r\n${host}\r\nGET /large HTTP/1.1\r\n${host}\r\n`],
      0,
      ["GET /small", "GET /large"],
    ],
    [
      "a hit and a half, and the rest",
      [`GET /small HTTP/1.1\r\n${host}\r\n`, `GET /large HTTP/1.1\r\n`, `${host}\r\n`],
      1,
      ["GET /large"],
    ],
    [
      "a hit, something else, and hits that have left the lane",
      [
        `GET /small HTTP/1.1\r\n${host}\r\n`,
        `GET /other HTTP/1.1\r\n${host}\r\n`,
        `GET /small HTTP/1.1\r\n${host}\r\n`,
        `GET /large HTTP/1.1\r\n${host}\r\n`,
      ],
      1,
      ["GET /other", "GET /small", "GET /large"],
    ],
    ["no Host beside a hidden one", [`GET /small HTTP/1.1\r\nAccept: x\r\n${host}\r\n`], 0, ["GET /small"]],
  ];

for (const [what, parts, inLaneCount, seen] of rows) {
  test(what, async (t) => {
    const { port, inLane, onward, hasRead } = await open(t);
    const client = new RawClient(port);
    const answers: string[] = [];
    let sent = 0;
    for (const part of parts) {
      client.socket.write(part);
      sent += part.length;
      // So that each part arrives alone.
      assert.ok(await hasRead(sent));
    }
    for (let i = 0; i < inLaneCount + seen.length; i++) answers.push((await client.answer()).head.slice(9, 12));
    assert.deepEqual([inLane.length, onward], [inLaneCount, seen]);
    assert.deepEqual(answers, [
      ...Array.from({ length: inLaneCount }, () => "200"),
      ...seen.map((request) => (request.endsWith("/other") || request.includes("?") ? "404" : "200")),
    ]);
  });
}

const malformed = [
  "GET /small HTTP/1.1\r\n\r\n", // no Host
  "GET /small HTTP/1.1\nHost: x\n\n",
  "GET /small HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
  "GET /small HTTP/1.1\r\nHost: x\r\nUser-Agent: a\x01b\r\n\r\n",
  "get /small HTTP/1.1\r\nHost: x\r\n\r\n",
  "\x16\x03\x01\x02\x00\x01",
];

for (const bytes of malformed) {
  test(`${JSON.stringify(bytes)} is not answered in the lane`, async (t) => {
    const { port, inLane } = await open(t);
    const socket = connect(port, "127.0.0.1");
    socket.write(bytes, "latin1");
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk);
    assert.deepEqual([inLane, Buffer.concat(chunks).toString().slice(0, 12)], [[], "HTTP/1.1 400"]);
  });
}

test("a connection is closed when nothing comes: before the first request, after an answer, in half a request", async (t) => {
  const { port, inLane } = await open(t, { first: 60, next: 120 });
  const silent = connect(port, "127.0.0.1");
  const idle = new RawClient(port);
  idle.socket.write(`GET /small HTTP/1.1\r\n${host}\r\n`);
  const half = connect(port, "127.0.0.1");
  half.resume().write("GET /small HTTP/1.1\r\n");
  await Promise.all([once(silent.resume(), "close"), once(idle.socket, "close"), once(half, "close")]);
  assert.deepEqual(inLane, ["/small"]);
});

test("a client that does not read is not listened to, and gets everything once it reads", async (t) => {
  const { port, inLane, onward } = await open(t);
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  let asked = 0;
  do {
    socket.write(`GET /large HTTP/1.1\r\n${host}\r\n`);
    asked++;
    // That it is not listened to any more shows in nothing but time.
    for (let i = 0; i < 100 && inLane.length < asked; i++) await sleep(2);
  } while (inLane.length === asked && asked < 500);
  // What fills the system's buffers, and not a hundred megabytes.
  assert.ok(inLane.length < 300, `${inLane.length} answers for a client that reads none`);
  assert.deepEqual(onward, []);
  let bytes = 0;
  socket.on("data", (chunk) => {
    bytes += chunk.length;
  });
  while (bytes < asked * large.length) await once(socket, "data");
  socket.destroy();
});

test("close lets an answer go out and ends every connection in the lane", { timeout: 10_000 }, async (t) => {
  const { port, lane, server, inLane } = await open(t, { first: 60_000, next: 60_000 });
  const client = new RawClient(port);
  client.socket.pause();
  client.socket.write(`GET /huge HTTP/1.1\r\n${host}\r\n`);
  await eventually(() => inLane.length > 0);
  const closed = once(server, "close");
  server.close();
  lane.close();
  client.socket.resume();
  assert.equal((await client.answer()).body.length, 20 << 20);
  await closed;
});

test("a client that ends its half still gets its answer, and the connection is closed", {
  timeout: 10_000,
}, async (t) => {
  const { port } = await open(t, { first: 60_000, next: 60_000 });
  const client = new RawClient(port);
  client.socket.end(`GET /large HTTP/1.1\r\n${host}\r\n`);
  assert.equal((await client.answer()).body.length, large.length);
  if (!client.socket.closed) await once(client.socket, "close");
});

test("who has left the lane is subject neither to its patience nor to its end", async (t) => {
  const { port, lane, onward } = await open(t, { first: 50, next: 50 });
  const client = connect(port, "127.0.0.1");
  client.write(`GET /slow HTTP/1.1\r\n${host}\r\n`);
  await eventually(() => onward.length > 0);
  lane.close();
  const [answer] = await once(client, "data");
  assert.match(String(answer), /^HTTP\/1\.1 204/);
  client.destroy();
});
