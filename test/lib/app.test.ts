import { test } from "node:test";
import { synthesise } from "../support/synthesis.ts";

/** Without what changes with every line of code: hashes of assets and versions, and the edge's own source. */
function stable(template: unknown): string {
  return JSON.stringify(template, undefined, 1)
    .replaceAll(/[0-9a-f]{64}/g, "<asset>")
    .replaceAll(/(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}/g, "$1<version>")
    .replaceAll(/"FunctionCode": "(?:[^"\\]|\\.)*"/g, '"FunctionCode": "<edge>"');
}

// The one snapshot. After a change that is meant: node --test --test-update-snapshots test/lib/app.test.ts
test("the app is deployed as it was", (t) => {
  const { storage, service, edge } = synthesise();
  for (const template of [storage, service, edge]) t.assert.snapshot(template.toJSON(), { serializers: [stable] });
});
