import assert from "node:assert/strict";
import { test } from "node:test";
import { KnownHosts } from "../../../lambda/local/access/known-hosts.ts";

const rows: readonly (readonly [header: string | undefined, known: boolean])[] = [
  ["127.0.0.1:8080", true],
  ["127.0.0.1", true],
  ["127.1:8080", true],
  ["127.9.9.9", true],
  ["localhost:8080", true],
  ["LOCALHOST", true],
  ["localhost.", true],
  ["go.localhost:8080", true],
  ["[::1]:8080", true],
  ["[0:0::1]", true],
  ["named.example:8080", true],
  ["Listens.example", true],
  // HTTP/1.0, and no browser.
  [undefined, true],
  ["", false],
  ["evil.example:8080", false],
  ["127.0.0.1.evil.example", false],
  ["evil.example#localhost", false],
  ["localhost@evil.example", false],
  ["evil.example/localhost", false],
  ["localhost.evil.example", false],
  ["10.0.0.1", false],
  ["[::2]:8080", false],
];

test("a server on loopback knows loopback, what it listens on, and the names it was given", () => {
  const hosts = new KnownHosts(["listens.example", "Named.example"]);
  for (const [header, known] of rows) {
    assert.equal(hosts.has(header), known, header);
    assert.equal(hosts.has(header), known, header);
  }
});
