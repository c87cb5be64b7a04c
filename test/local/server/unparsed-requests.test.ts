import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { answerUnparsed } from "../../../lambda/local/server/unparsed-requests.ts";

const server = createServer({ maxHeaderSize: 16_384 }, (_request, response) => response.end("a request\n"));
answerUnparsed(server);
before(() => once(server.listen(0, "127.0.0.1"), "listening"));
after(() => server.close());

async function send(bytes: string): Promise<string> {
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(bytes, "latin1");
  return text(socket);
}

const host = " HTTP/1.1\r\nHost: localhost\r\n";

const rows: readonly (readonly [what: string, sent: string, status: string, body: RegExp])[] = [
  ["a control byte in the path", `GET /a\x01b/@v/list${host}\r\n`, "400 Bad Request", /malformed/],
  ["a byte beyond ASCII in the path", `GET /a\xe9/@v/list${host}\r\n`, "400 Bad Request", /malformed/],
  ["a space in the path", `GET /a b/@v/list${host}\r\n`, "400 Bad Request", /malformed/],
  [
    "two lengths",
    `GET /${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`,
    "400 Bad Request",
    /malformed/,
  ],
  ["a method nobody knows", `BREW /${host}\r\n`, "405 Method Not Allowed", /only read/],
  ["CONNECT", "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", "405 Method Not Allowed", /only read/],
  ["a long path", `GET /${"a".repeat(20_000)}${host}\r\n`, "431 Request Header Fields Too Large", /16 KiB/],
  ["a long header", `GET /${host}X: ${"a".repeat(20_000)}\r\n\r\n`, "431 Request Header Fields Too Large", /16 KiB/],
];

for (const [what, sent, status, body] of rows) {
  test(`${what} has one clear line`, async () => {
    const [head = "", line = ""] = (await send(sent)).split("\r\n\r\n");
    assert.equal(head.split("\r\n")[0], `HTTP/1.1 ${status}`);
    assert.match(head, /^content-type: text\/plain; charset=utf-8$/m);
    assert.match(head, new RegExp(`^content-length: ${line.length}$`, "m"));
    assert.equal(/^allow: GET, HEAD$/m.test(head), status.startsWith("405"));
    assert.match(line, body);
    assert.match(line, /^[^\n]+\n$/);
  });
}

test("nothing follows an answer that has been sent", async () => {
  const answers = await send(`GET /${host}\r\nGET /\x01${host}\r\n`);
  assert.match(answers, /a request\n$|^HTTP\/1\.1 400/);
  assert.equal(answers.match(/HTTP\/1\.1/g)?.length, 1);
});
