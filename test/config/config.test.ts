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

test("a tenant's modules are private, and its name stands for them in every list of patterns", () => {
  const tenants = {
    payments: { modules: "corp.example/pay, pay.example", admins: ["alice"] },
    games: { modules: ["g.example"] },
  };
  const upstreams = [{ patterns: "@payments,corp.example", chain: "https://a.example" }];
  const config = parseConfig(JSON.stringify({ tenants, upstreams, private: "corp.example/x,@games" }));
  assert.deepEqual(config.private, ["corp.example/x", "g.example", "corp.example/pay", "pay.example"]);
  assert.deepEqual(config.upstreams[0]?.patterns, ["corp.example/pay", "pay.example", "corp.example"]);
  assert.deepEqual(config.tenants.payments, { modules: ["corp.example/pay", "pay.example"], admins: ["alice"] });
});

test("tenants that cannot be meant stop with what is wrong", () => {
  const rows: readonly (readonly [config: unknown, message: RegExp])[] = [
    [{ tenants: { a: { modules: [] } } }, /key tenants\.a\.modules: expected at least one pattern$/],
    [{ tenants: { a: { modules: "corp" } } }, /key tenants\.a\.modules: .*begins with a host name/],
    [{ tenants: { a: { modules: "@b" }, b: { modules: "b.example" } } }, /key tenants\.a\.modules: "@b"/],
    [{ tenants: { A: { modules: "a.example" } } }, /key tenants\.A: expected lower-case letters, digits and -$/],
    [
      { tenants: { a: { modules: "a.example", owner: "x" } } },
      /key tenants\.a\.owner: unknown, expected one of modules, admins$/,
    ],
    [
      { tenants: { a: { modules: "a.example" }, b: { modules: "b.example,a.example/b" } } },
      /key tenants\.b\.modules: a\.example\/b meets a\.example of a: a module is one tenant's$/,
    ],
    [{ tenants: { a: { modules: "a.example" } }, private: "@b" }, /key private: @b: there is no such tenant$/],
    [{ upstreams: [{ patterns: "@b", chain: "off" }] }, /key upstreams\.0\.patterns: @b: there is no such tenant$/],
    [
      { tenants: { a: { modules: "a.example" } }, access: { anonymous: "all" } },
      /key access\.anonymous: "all" would show/,
    ],
  ];
  for (const [config, message] of rows)
    assert.throws(() => parseConfig(JSON.stringify(config)), { code: "config", message });
});
