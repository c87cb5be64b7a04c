import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { html } from "../../lambda/console/html.ts";
import { ownAddress, page } from "../../lambda/console/page-handler.ts";
import type { AccessSettings } from "../../lambda/edge/access-settings.ts";
import type { Identity } from "../../lambda/edge/token.ts";
import type { ModuleCatalogue } from "../../lambda/proxy/store/module-catalogue.ts";
import { ServedError } from "../../lambda/proxy/store/served-error.ts";
import { throughStack } from "../support/through-stack.ts";

const hostile = `"><script>alert(1)</script>'\`&`;

function stored(...paths: readonly string[]): ModuleCatalogue {
  return {
    modules: async (from, limit) =>
      paths
        .filter((path) => path >= from)
        .slice(0, limit)
        .map((module) => ({ module, versions: 1 })),
    versions: async () => ["v1.0.0+incompatible"],
  };
}

const open: AccessSettings = { anonymous: "all", private: "corp.example" };

interface Asked {
  readonly access?: AccessSettings;
  readonly identity?: Identity;
  readonly query?: string;
  readonly host?: string;
  readonly catalogue?: ModuleCatalogue;
  readonly gosumdb?: string;
}

async function ask(asked: Asked) {
  const catalogue = asked.catalogue ?? stored("corp.example/a", "example.com/b", "github.com/Azure/c");
  const { access = open, gosumdb, query = "", host, identity } = asked;
  const handler = page({ catalogue, access, address: () => "http://127.0.0.1:8080", gosumdb });
  const request = { method: "GET", routed: { route: "site", path: "/" }, headers: { host }, query } as const;
  const { answer } = await throughStack(handler, request, identity);
  assert.ok(answer.body instanceof Uint8Array);
  return { ...answer, text: new TextDecoder().decode(answer.body) };
}

test("text in HTML stays text, in elements and in quoted attributes", () => {
  assert.equal(
    html`<a title="${hostile}">${[html`<b>${1}</b>`, undefined, "<"]}</a>`.text,
    `<a title="&#34;&#62;&#60;script&#62;alert(1)&#60;/script&#62;&#39;&#96;&#38;"><b>1</b>&#60;</a>`,
  );
});

test("nothing that is stored or sent becomes markup", async () => {
  const asked = { query: `q=${encodeURIComponent(hostile)}`, host: hostile, gosumdb: hostile };
  const access = { anonymous: "all", private: hostile } as const;
  for (const catalogue of [stored(hostile), stored(`a${hostile}`, "b"), stored("b")]) {
    const { text } = await ask({ ...asked, access, catalogue });
    assert.equal(text.split("<script>").length - 1, 1, "our own");
    assert.ok(!text.includes("alert(1)</"));
  }
  const { text } = await ask({ catalogue: stored("//evil.example/x", "/x", "a/../b") });
  assert.doesNotMatch(text, /href="\/\/|\.\.\/b\/@/, "links stay on this server");
});

test("the headers let nothing run or load but what the page itself holds", async () => {
  const { status, headers, text } = await ask({});
  const hash = (element: string) => {
    const content = new RegExp(`<${element}>([^]*?)</${element}>`).exec(text)?.[1] ?? "";
    return `'sha256-${createHash("sha256").update(content).digest("base64")}'`;
  };
  assert.deepEqual(
    [status, headers],
    [
      200,
      {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "content-security-policy": `default-src 'none'; style-src ${hash("style")}; script-src ${hash("script")}; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
      },
    ],
  );
  assert.doesNotMatch(text, /\b(src|action|href)="(https?:)?\/\//);
});

test("modules are listed with links as go spells them", async () => {
  const { text } = await ask({ query: "q=azure" });
  for (const part of [
    "<strong>3 modules</strong> with 3 versions.",
    'href="/github.com/!azure/c/@v/list"',
    'href="/github.com/!azure/c/@latest"',
    'href="/github.com/!azure/c/@v/v1.0.0%2Bincompatible.info"',
    "1 module with “azure” in the path.",
  ])
    assert.ok(text.includes(part), part);
  assert.ok(!text.includes("example.com/b"));
  assert.match((await ask({ catalogue: stored() })).text, /Nothing yet/);
});

test("each reader sees the modules and the settings that are for them", async () => {
  const viewer = (modules: string): Identity => ({ id: "abc", role: "viewer", subject: "s", modules });
  const rows: readonly (readonly [
    AccessSettings["anonymous"],
    Identity | undefined,
    module: boolean,
    patterns: boolean,
  ])[] = [
    ["all", undefined, true, true],
    ["public", undefined, false, false],
    ["none", undefined, false, false],
    ["public", viewer("corp.example/a"), true, true],
    ["none", viewer("corp.example/other"), false, true],
  ];
  for (const [anonymous, identity, module, patterns] of rows) {
    const by = identity === undefined ? {} : { identity };
    const { text } = await ask({ access: { anonymous, private: "corp.example" }, ...by });
    assert.equal(text.includes("corp.example/a"), module, `${anonymous} ${identity?.modules}`);
    assert.equal(text.includes("GONOSUMDB=corp.example"), patterns, `${anonymous} ${identity?.modules}`);
    assert.equal(text.includes("/-/metrics"), anonymous === "all");
    assert.equal(text.includes("need a token"), anonymous !== "all");
  }
});

test("lines to paste survive a shell", async () => {
  const access = { anonymous: "all", private: "corp.example/*,it's" } as const;
  const { text } = await ask({ access, gosumdb: "sums.example+0+AA/=" });
  const lines = text.replaceAll("&#39;", "'");
  assert.ok(lines.includes("export GOPROXY=http://127.0.0.1:8080\nexport GONOSUMDB='corp.example/*,it'\\''s'\n"));
  assert.ok(lines.includes("export GOSUMDB='sums.example+0+AA/='"));
  assert.ok(!lines.includes("Leave GOSUMDB as it is"));
});

test("the address is the reader's own where the Host header is a plain host", () => {
  const rows: readonly (readonly [host: string | undefined, address: string])[] = [
    ["goproxy.corp.example", "https://goproxy.corp.example"],
    ["Go-Proxy:8443", "https://go-proxy:8443"],
    ["my_proxy:80", "https://my_proxy:80"],
    ["[::1]:8080", "https://[::1]:8080"],
    ["10.0.0.1", "https://10.0.0.1"],
    ...[
      undefined,
      "",
      "a b",
      "a/b",
      "user@host",
      "host:99999",
      "host:",
      "[::1",
      "a'b",
      "-a",
      "a".repeat(256),
      hostile,
    ].map((host) => [host, "https://configured.example:1"] as const),
  ];
  for (const [host, address] of rows) assert.equal(ownAddress(host, "https://configured.example:1"), address, host);
});

test("over https the token goes into netrc", async () => {
  const handler = page({
    catalogue: stored(),
    access: { anonymous: "none", private: "" },
    address: () => "https://x.example",
    gosumdb: undefined,
  });
  const routed = { route: "site", path: "/" } as const;
  const { answer } = await throughStack(handler, { method: "GET", routed, headers: { host: "go.example:8443" } });
  assert.match(
    new TextDecoder().decode(answer.body as Uint8Array),
    /machine go\.example:8443 login modfront password TOKEN/,
  );
});

test("an index that cannot be read is an answer of the table", async () => {
  const fails = async () => {
    throw new ServedError("store-failed", "the index cannot be read");
  };
  const { status, text } = await ask({ catalogue: { modules: fails, versions: fails } });
  assert.deepEqual([status, text], [503, "the index cannot be read\n"]);
});
