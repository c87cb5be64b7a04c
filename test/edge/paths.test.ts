import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decide } from "../../lambda/edge/decide.ts";
import { checkPath, escapePath, escapeVersion } from "../../lambda/golang/module.ts";
import { openContext } from "../support/tokens.ts";

function passes(check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}

const letters = "abzABZ019".split("");
const element = fc.string({ unit: fc.constantFrom(...letters, ..."-._~".split("")), minLength: 1, maxLength: 8 });
const host = element.map((name) => `${name.toLowerCase()}.org`);
const module = fc
  .tuple(host, fc.array(element, { maxLength: 3 }))
  .map(([first, rest]) => [first, ...rest].join("/"))
  .filter((path) => passes(() => checkPath(path)));
const version = fc
  .string({ unit: fc.constantFrom(...letters, ..."-._~+!#$&()=@[]^{} ,é".split("")), minLength: 1, maxLength: 12 })
  .filter((text) => passes(() => escapeVersion(text)));

/** Writes some characters as percent forms, as a client may and the go command does for "!". */
function spell(path: string, picks: readonly number[]): string {
  const encode = (character: string, index: number) =>
    picks.includes(index) || !/[\w.~!@+-]/.test(character)
      ? Buffer.from(character).toString("hex").replace(/../g, "%$&")
      : character;
  return path
    .split("/")
    .map((part) => Array.from(part, encode).join(""))
    .join("/");
}

test("whatever x/mod takes for a module and a version goes on, in its escaped form, however it is spelt", () => {
  const kinds = fc.constantFrom("list", "latest", "info", "mod", "zip", "sumdb");
  const picks = fc.array(fc.nat(20), { maxLength: 5 });
  fc.assert(
    fc.property(module, version, kinds, picks, (path, query, kind, encoded) => {
      const escaped = escapePath(path);
      const others: Record<string, string> = {
        list: `/${escaped}/@v/list`,
        latest: `/${escaped}/@latest`,
        sumdb: `/sumdb/sum.golang.org/lookup/${escaped}@${escapeVersion(query)}`,
      };
      const canonical = others[kind] ?? `/${escaped}/@v/${escapeVersion(query)}.${kind}`;
      const decision = decide({ method: "GET", path: spell(canonical, encoded), credentials: undefined }, openContext);
      assert.equal(decision.kind, "forward", canonical);
      if (decision.kind !== "forward") return;
      const { routed } = decision;
      const named = kind === "list" || kind === "latest" ? undefined : query;
      assert.deepEqual([routed.route, routed.path, routed.module, routed.version], [kind, canonical, path, named]);
    }),
    { numRuns: 2_000 },
  );
});
