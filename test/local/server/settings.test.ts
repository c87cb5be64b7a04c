import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readSettings, type SettingsSource } from "../../../lambda/local/server/settings.ts";
import { goDefaultProxy } from "../../../lambda/proxy/sources/go-default-proxy.ts";
import { dataFolder } from "../../support/data-folder.ts";

const base: SettingsSource = { args: [], environment: {}, isTerminal: false, goEnvProxy: () => undefined };

test("flag over environment over file over default", (t) => {
  const file = join(dataFolder(t), "config.json");
  writeFileSync(file, JSON.stringify({ sumdb: { url: "https://file.example" } }));
  const environment = {
    MODFRONT_PORT: "1",
    MODFRONT_HOST: "::1",
    MODFRONT_DATA: "env",
    MODFRONT_CONFIG: file,
    MODFRONT_UPSTREAM: "https://env.example",
    MODFRONT_LOG: "off",
  };
  const read = (args: readonly string[], env: SettingsSource["environment"]) => {
    const { port, host, data, upstream, log, config } = readSettings({ ...base, args, environment: env });
    return { port, host, data, upstream, log, sumdb: config.sumdb.url };
  };
  const fromEnvironment = { port: 1, host: "::1", data: "env", upstream: "https://env.example", log: "off" };
  assert.deepEqual(read([], environment), { ...fromEnvironment, sumdb: "https://file.example" });
  const sumdb = { ...environment, MODFRONT_SUMDB: "https://env.example/db/" };
  assert.deepEqual(read([], sumdb), { ...fromEnvironment, sumdb: "https://env.example/db" });
  const flags = "--port=2 --host=h --data=d --upstream=https://f.example --log=text --sumdb=http://f.example".split(
    " ",
  );
  assert.deepEqual(read(flags, sumdb), {
    port: 2,
    host: "h",
    data: "d",
    upstream: "https://f.example",
    log: "text",
    sumdb: "http://f.example",
  });
  const empty = Object.fromEntries(Object.keys(sumdb).map((name) => [name, ""]));
  assert.deepEqual(read([], empty), {
    port: 8080,
    host: "127.0.0.1",
    data: ".modfront",
    upstream: goDefaultProxy,
    log: "json",
    sumdb: undefined,
  });
});

test("without a checksum database: by the flag as by the file", (t) => {
  const file = join(dataFolder(t), "config.json");
  writeFileSync(file, JSON.stringify({ sumdb: { url: "https://file.example" } }));
  const read = (...args: string[]) => readSettings({ ...base, args: ["--config", file, ...args] }).config.sumdb;
  assert.deepEqual(read(), { name: "sum.golang.org", url: "https://file.example" });
  assert.deepEqual(read("--sumdb", "off"), { name: "off", url: "https://file.example" });
  const environment = { MODFRONT_SUMDB: "off" };
  assert.equal(readSettings({ ...base, environment, args: ["--config", file] }).config.sumdb.name, "off");
});

test("without an upstream the one of this machine's Go is used, but never this very server", () => {
  const builtIn = goDefaultProxy;
  const rows: readonly (readonly [goproxy: string, go: string | undefined, used: string, host?: string])[] = [
    ["https://a.example|off", "https://b.example", "https://a.example|off"],
    ["direct", "https://b.example", "direct"],
    ["", "https://b.example", "https://b.example"],
    ["", undefined, builtIn],
    ["", "", builtIn],
    ["http://127.0.0.1:8080", "https://b.example", "https://b.example"],
    ["http://127.0.0.1:8080", undefined, builtIn],
    ["http://localhost:8080/,direct", "http://[::1]:8080", builtIn],
    ["http://me:pw@LOCALHOST:8080|off", undefined, builtIn],
    ["http://127.1:8080", undefined, builtIn],
    ["localhost:8080", undefined, builtIn],
    ["http://0.0.0.0:8080", undefined, builtIn],
    // What stands beside it may be the organisation's own proxy: the public one must not take its place.
    ["http://127.0.0.1:8080,https://corp.example|off", undefined, "https://corp.example|off"],
    ["https://corp.example|http://127.0.0.1:8080", undefined, "https://corp.example|"],
    // Another port, another host: somebody else.
    ["http://127.0.0.1:8081", undefined, "http://127.0.0.1:8081"],
    ["http://proxy.example:8080", undefined, "http://proxy.example:8080"],
    ["http://proxy.example:8080", undefined, builtIn, "proxy.example"],
  ];
  for (const [goproxy, go, used, host = "127.0.0.1"] of rows) {
    const source = { ...base, args: ["--host", host], environment: { GOPROXY: goproxy }, goEnvProxy: () => go };
    assert.equal(readSettings(source).upstream, used, goproxy);
  }
});

test("a chain given at the terminal replaces the catch-all, wherever it stands, and nothing else", (t) => {
  const file = join(dataFolder(t), "config.json");
  const upstreams = [
    { patterns: "corp.example,*", chain: "https://a.example" },
    { patterns: "*", chain: "https://b.example" },
  ];
  writeFileSync(file, JSON.stringify({ upstreams }));
  const given = readSettings({ ...base, args: ["--config", file, "--upstream", "https://c.example"] });
  assert.deepEqual(given.config.upstreams, [{ patterns: ["corp.example"], chain: "https://a.example" }]);
  assert.equal(given.upstream, "https://c.example");
  const go = () => assert.fail("Go is not asked behind a catch-all");
  assert.equal(readSettings({ ...base, args: ["--config", file], goEnvProxy: go }).upstream, undefined);
});

test("a wrong flag says what it takes", () => {
  const rows: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [["--port", "65536"], /^--port takes a number from 0 to 65535$/],
    [["--port", "0x10"], /^--port takes/],
    [["--log", "loud"], /^--log takes text, json or off$/],
    [["--sumdb", "sum.golang.org"], /^--sumdb takes an http or https URL without query and fragment, or off$/],
    [["--sumdb", "https://x.example/?a"], /^--sumdb takes/],
    [["--tls-cert", "x"], /^--tls-cert and --tls-key go together$/],
    [["--tls-client-ca", "x"], /^--tls-client-ca needs --tls-cert and --tls-key$/],
    [["https://me:secret@x.example"], /^Unexpected argument 'https:\/\/x\.example'/],
    [["https://me:sec/ret@x.example"], /^Unexpected argument 'https:\/\/x\.example'/],
    [["//me:s e@c/ret@x.example"], /^Unexpected argument '\/\/x\.example'/],
    [["\u001b[2J"], /^Unexpected argument '\?\[2J'/],
  ];
  for (const [args, message] of rows) assert.throws(() => readSettings({ ...base, args }), { code: "usage", message });
});
