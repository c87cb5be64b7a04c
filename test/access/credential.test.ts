import assert from "node:assert/strict";
import { test } from "node:test";
import { formatCredential } from "../../lambda/access/credential.ts";

const block = "https://a.example/go\nhttps://b.example\n\nAuthorization: Basic bW9kZnJvbnQ6bWZfeA==\n\n";

test("the credential is printed for its servers and nobody else", () => {
  const rows: readonly (readonly [asked: string | undefined, printed: string])[] = [
    [undefined, block],
    ["https://a.example/go/m/@v/list", block],
    ["https://a.example/go", block],
    ["https://b.example/m/@v/list", block],
    ["https://a.example/gopher/@v/list", ""],
    ["https://b.example.evil/m/@v/list", ""],
    ["http://b.example/m/@v/list", ""],
  ];
  for (const [asked, printed] of rows) {
    assert.equal(formatCredential(["https://a.example/go/", "https://b.example"], "mf_x", asked), printed, asked);
  }
});

test("only https URLs without anything to inject are servers", () => {
  for (const server of [
    "http://a.example",
    "a.example",
    "https://u:p@a.example",
    "https://a.example\n\nX: y",
    "https://",
  ]) {
    assert.throws(() => formatCredential([server], "mf_x"), { code: "bad-server" }, server);
  }
});
