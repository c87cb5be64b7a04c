import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { schemaFile, schemaText } from "../../bin/schema.ts";
import { parseConfig } from "../../lambda/config/config.ts";

test("the schema that editors read is the one of the code: else run npm run schema", () => {
  assert.equal(readFileSync(schemaFile, "utf8"), schemaText());
});

test("every key of the configuration says what it is for", () => {
  const undescribed: string[] = [];
  const visit = (name: string, node: Node) => {
    const inner = Object.entries(node.properties ?? node.items?.properties ?? {});
    if (inner.length === 0 && node.description === undefined) undescribed.push(name);
    for (const [key, child] of inner) visit(`${name}.${key}`, child);
  };
  visit("", JSON.parse(schemaText()) as Node);
  assert.deepEqual(
    undescribed.filter((name) => !name.startsWith(".aws.domain.hostedZone")),
    [],
  );
});

interface Node {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
}

test("an empty configuration is a whole one", () => {
  const { upstreams, private: own, ttl, sumdb, access } = parseConfig("{}");
  assert.deepEqual(
    { upstreams, own, ttl, sumdb, access },
    {
      upstreams: [],
      own: [],
      ttl: { list: 60, query: 60, notFound: 60 },
      sumdb: { name: "sum.golang.org" },
      access: {},
    },
  );
});

test("patterns are a string as in GOPRIVATE, or an array", () => {
  const rows: readonly (readonly [unknown, readonly string[]])[] = [
    ["a.example/*, b.example,", ["a.example/*", "b.example"]],
    [
      ["a.example/*", " b.example "],
      ["a.example/*", "b.example"],
    ],
    [["corp.other, corp.example"], ["corp.other", "corp.example"]],
    ["", []],
  ];
  for (const [value, expected] of rows)
    assert.deepEqual(parseConfig(JSON.stringify({ private: value })).private, expected);
});

test("a wrong key stops with its path and what was expected", () => {
  const rows: readonly (readonly [text: string, message: RegExp])[] = [
    ["{", /not valid JSON/],
    ["[]", /\(top level\).*expected object/],
    ['{"privat":"x"}', /key privat: unknown, expected one of upstreams, private, /],
    ['{"ttl":{"lists":1}}', /key ttl\.lists: unknown, expected one of list, query, notFound$/],
    ['{"upstreams":[{"pattern":"*"}]}', /upstreams\.0\.patterns: expected a string or an array of strings/],
    ['{"upstreams":[{"patterns":"*","chain":"off","x":1}]}', /upstreams\.0\.x: unknown, .* patterns, chain$/],
    ['{"upstreams":[{"patterns":" ,","chain":"off"}]}', /upstreams\.0\.patterns: expected at least one pattern/],
    ['{"allowHosts":["https://x.example"]}', /allowHosts\.0: expected a host name or an IP address/],
    ['{"allowHosts":["x.example:8080"]}', /allowHosts\.0: expected a host name/],
    ['{"private":5}', /private: expected a string or an array of strings/],
    ['{"ttl":{"list":-1}}', /ttl\.list.*>=0/],
    ['{"ttl":{"list":"60"}}', /ttl\.list.*expected number/],
    ['{"upstreams":[{"patterns":"*","chain":"off"},{"patterns":"*"}]}', /upstreams\.1\.chain.*expected string/],
    ['{"sumdb":{"url":"ftp://x"}}', /sumdb\.url: expected an http or https URL/],
    ['{"sumdb":{"url":"https://x.example/?a=b"}}', /sumdb\.url: expected a URL without query/],
    ['{"sumdb":{"name":"sum.example.com"}}', /sumdb\.name: expected sum\.golang\.org, a verifier key/],
    ['{"sumdb":{"name":"sum.example.com+00000000+AAAA"}}', /sumdb\.name: expected/],
    ['{"private":"corp.example/[a"}', /private: expected patterns in GOPRIVATE syntax/],
    ['{"upstreams":[{"patterns":["[a"],"chain":"off"}]}', /upstreams\.0\.patterns: expected patterns/],
    ['{"private":["a.b","corp.[ez,]xample"]}', /private: expected patterns in GOPRIVATE syntax/],
    ['{"private":"corp.example/..."}', /private: "corp\.example\/\.\.\.": write corp\.example, which covers/],
    ['{"upstreams":[{"patterns":"Corp.example","chain":"off"}]}', /upstreams\.0\.patterns: .*: write corp\.example, /],
    ['{"access":{"anonymous":"some"}}', /access\.anonymous.*"none"\|"public"\|"all"/],
  ];
  for (const [text, message] of rows) assert.throws(() => parseConfig(text), { code: "config", message }, text);
});
