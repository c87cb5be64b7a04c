import { test } from "node:test";
import { synthesise } from "../support/synthesis.ts";
import { templateRows } from "../support/template-rows.ts";

// The one snapshot, of what a change must be seen in. After one that is meant:
// node --test --test-update-snapshots test/lib/app.test.ts
test("the app is deployed as it was", (t) => {
  const { storage, service, edge } = synthesise();
  const serializers = [(rows: readonly string[]) => rows.join("\n")];
  for (const template of [storage, service, edge]) t.assert.snapshot(templateRows(template), { serializers });
});
