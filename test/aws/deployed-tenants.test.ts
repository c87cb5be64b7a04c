import assert from "node:assert/strict";
import { test } from "node:test";
import { knownTenants } from "../../lambda/aws/deployed-tenants.ts";

test("a tenant is known where the edge has patterns for it; of one that is gone, damaged or planned nobody makes a token", async () => {
  const values = new Map([
    ["t payments", "=pay.example"],
    ["t gone", "="],
    ["t odd", "pay.example"],
  ]);
  const asked: unknown[] = [];
  const send = async ({ input }: { readonly input: { readonly KvsARN?: string; readonly Key?: string } }) => {
    asked.push([input.KvsARN, input.Key]);
    const Value = values.get(input.Key ?? "");
    if (Value !== undefined) return { Value };
    throw Object.assign(new Error("no such key"), { name: "ResourceNotFoundException" });
  };
  const names = ["payments", "gone", "odd", "planned", "payments"];
  assert.deepEqual(await knownTenants({ send } as never, "arn", names), ["payments"]);
  assert.deepEqual(
    asked,
    ["payments", "gone", "odd", "planned"].map((name) => ["arn", `t ${name}`]),
  );
});
