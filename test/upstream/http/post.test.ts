import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { openForwardProxies } from "../../../lambda/upstream/http/forward-proxy.ts";
import { defaultTimeouts, HttpClient } from "../../../lambda/upstream/http/http-client.ts";

test("a POST sends its body with a length, and once more when a kept connection was closed under it", async (t) => {
  const seen: { readonly method: string | undefined; readonly headers: IncomingHttpHeaders; readonly body: string }[] =
    [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    seen.push({ method: request.method, headers: request.headers, body: Buffer.concat(chunks).toString() });
    // The second is the first on a kept connection.
    if (seen.length === 2) request.socket.resetAndDestroy();
    else response.end("done");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/x?y`);
  const client = new HttpClient({
    isTrusted: () => true,
    timeouts: defaultTimeouts,
    userAgent: "modfront/test",
    proxies: openForwardProxies({}),
  });
  t.after(async () => {
    await client.close();
    server.closeAllConnections();
    server.close();
  });
  const post = async (text: string) => {
    const answer = await client.send(url, {
      body: Buffer.from(text),
      authorization: "Basic x",
      headers: { accept: "a/b" },
    });
    return Buffer.concat(await answer.body.toArray()).toString();
  };
  assert.deepEqual([await post("first"), await post("twice"), await post("")], ["done", "done", "done"]);
  assert.deepEqual(
    seen.map(({ method, body, headers }) => [
      method,
      body,
      headers["content-length"],
      headers.accept,
      headers.authorization,
    ]),
    [
      ["POST", "first", "5", "a/b", "Basic x"],
      ["POST", "twice", "5", "a/b", "Basic x"],
      ["POST", "twice", "5", "a/b", "Basic x"],
      ["POST", "", "0", "a/b", "Basic x"],
    ],
  );
});
