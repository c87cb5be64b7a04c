import assert from "node:assert/strict";
import { test } from "node:test";
import { refusalOf } from "../../lambda/admin/refusals.ts";
import type { AdmittedRequest } from "../../lambda/http/handler.ts";

const identity = { id: "a1", role: "viewer", subject: "bob", modules: "" } as const;
const token = `mf_${"aB-_9".repeat(20)}.${"c_-D".repeat(10)}c_-`;

const targets: readonly (readonly [parameters: AdmittedRequest["parameters"], target: string])[] = [
  [undefined, ""],
  [{ id: "0tp7hw5jmpl1zjh3" }, "0tp7hw5jmpl1zjh3"],
  [{ id: token }, "mf_"],
  [{ path: "git.corp.example/x" }, "git.corp.example/x"],
  [{ path: "user:secret@git.corp.example/x" }, "git.corp.example/x"],
  [{ path: `user:sec@ret@git.corp.example/${token}` }, "git.corp.example/mf_"],
];

test("a refused request is written down without the secrets that are in what it asks for", () => {
  for (const [parameters, target] of targets) {
    const request = { identity, ...(parameters && { parameters }) } as AdmittedRequest;
    const event = refusalOf(request, { name: "token-revoke" }, 1);
    assert.deepEqual([event.action, event.target, event.token], ["request.token-revoke", target, "a1"]);
  }
});
