import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

// What node:http can do at most: one file, ready in memory with its headers, for whatever is asked.

const [file = "", type = ""] = process.argv.slice(2);
const body = readFileSync(file);
const headers = ["content-type", type, "content-length", String(body.length)];

const server = createServer((_request, response) => {
  response.writeHead(200, headers);
  response.end(body);
});
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
