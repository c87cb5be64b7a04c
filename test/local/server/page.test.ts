import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { indexFile, markFilled, openIndexDatabase } from "../../../lambda/local/data/index-database.ts";
import { catalogueStatements, SqliteModuleCatalogue } from "../../../lambda/local/data/sqlite-module-catalogue.ts";
import { transact } from "../../../lambda/local/data/sqlite-schema.ts";
import { readSettings } from "../../../lambda/local/server/settings.ts";
import { type RunningServer, startLocal } from "../../../lambda/local/server/start.ts";
import { RequestWay } from "../../../lambda/runtime/request-way.ts";
import { systemClock } from "../../../lambda/runtime/system-clock.ts";
import { WebhookSecrets } from "../../../lambda/webhooks/webhook-secrets.ts";
import { launchChromium, withoutChromium } from "../../support/chromium.ts";
import { makeDataFolder } from "../../support/data-folder.ts";

// The page of a running server as a person meets it, over an index of 501 modules.

const data = makeDataFolder();
let server: RunningServer;
let browser: Browser | undefined;

const stored: readonly (readonly [module: string, version: string])[] = [
  ["github.com/Azure/sdk", "v1.9.0"],
  ["github.com/Azure/sdk", "v1.10.0"],
  ...Array.from({ length: 500 }, (_, i) => [`example.com/module-${String(i).padStart(3, "0")}`, "v1.0.0"] as const),
];

before(async () => {
  const database = openIndexDatabase(join(data.path, indexFile));
  const add = database.durable.prepare("INSERT INTO version (module, version) VALUES (?, ?)");
  transact(database.durable, () => {
    for (const [module, version] of stored) add.run(module, version);
  });
  // Else the start would look for their files, of which there are none.
  markFilled(database);
  database.close();
  const environment = { MODFRONT_PORT: "0", MODFRONT_DATA: data.path, MODFRONT_LOG: "off", MODFRONT_UPSTREAM: "off" };
  const settings = readSettings({ args: [], environment, isTerminal: false, goEnvProxy: () => undefined });
  server = await startLocal(settings, {
    way: new RequestWay("test"),
    clock: systemClock,
    router: { isPrivate: () => false, chainFor: () => ({ steps: [], end: "off" }) },
    webhookSecrets: new WebhookSecrets(
      {},
      () => assert.fail("there is none"),
      () => 0,
    ),
    readDocument: () => Promise.reject(new Error("the page asks no provider")),
    sumdbRemote: () => ({ get: () => Promise.reject(new Error("the page asks no checksum database")) }),
    zipWorker: new URL("../../../lambda/runtime/zip-worker.ts", import.meta.url),
    write: () => {},
    warn: () => {},
  });
  if (withoutChromium === false) browser = await launchChromium();
});

after(async () => {
  await browser?.close();
  await server.stop();
  data.remove();
});

interface Seen {
  readonly page: Page;
  /** What went wrong in the page, refusals of the policy included. */
  readonly complaints: readonly string[];
  /** Every address that was asked for. */
  readonly asked: readonly string[];
}

async function visit(t: { after(work: () => Promise<void>): void }, options: object = {}): Promise<Seen> {
  assert.ok(browser);
  const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"], ...options });
  t.after(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  const asked: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => void (request.url().startsWith("data:") || asked.push(request.url())));
  await page.goto(server.url);
  return { page, complaints, asked };
}

test("the page says what this is, what to paste and what is stored", { skip: withoutChromium }, async (t) => {
  const { page, complaints, asked } = await visit(t);
  assert.match(await page.title(), /modfront/);
  assert.equal(await page.locator("pre").first().textContent(), `export GOPROXY=${server.url}`);
  assert.equal(await page.locator("pre").last().textContent(), `export GOSUMDB=${server.gosumdb}`);
  assert.match((await page.locator("main").textContent()) ?? "", /501 modules with 502 versions/);
  assert.equal(await page.locator("ul.modules li").count(), 200);
  await page.getByRole("button", { name: "Copy" }).first().click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  assert.equal(await page.evaluate("navigator.clipboard.readText()"), `export GOPROXY=${server.url}\n`);
  assert.deepEqual([complaints, asked], [[], [`${server.url}/`]]);
});

test("searching finds a module and its links", { skip: withoutChromium }, async (t) => {
  const { page, complaints } = await visit(t);
  await page.getByRole("searchbox").fill("azure");
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByText("1 module with").waitFor();
  assert.match(
    (await page.locator("ul.modules").textContent()) ?? "",
    /^\s*github\.com\/Azure\/sdk\s+v1\.10\.0\s*v1\.9\.0\s/,
  );
  assert.deepEqual(complaints, []);
  await page.getByRole("link", { name: "list of github.com/Azure/sdk" }).click();
  assert.equal(await page.locator("body").textContent(), "v1.9.0\nv1.10.0\n");
});

test("without JavaScript the page does the same, but for copying", { skip: withoutChromium }, async (t) => {
  const { page } = await visit(t, { javaScriptEnabled: false });
  assert.equal(await page.getByRole("button", { name: "Copy" }).count(), 0);
  await page.getByRole("searchbox").fill("module-49");
  await page.getByRole("searchbox").press("Enter");
  assert.equal(await page.locator("ul.modules li").count(), 10);
});

const measureContrast = `(() => {
  const channels = (color) => (color.match(/[\\d.]+/g) ?? []).slice(0, 3).map((c) => c / 255);
  const light = (color) => channels(color).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const color = getComputedStyle(e).backgroundColor;
      if (!/, 0\\)$/.test(color)) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const texts = [...document.querySelectorAll("body *")].filter((e) =>
    e.localName !== "script" && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim() !== ""));
  return Math.min(...texts.map((e) => {
    const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  }));
})()`;

test("the page can be read: landmarks, names, contrast in both schemes, narrow screens", {
  skip: withoutChromium,
}, async (t) => {
  for (const colorScheme of ["light", "dark"]) {
    const { page } = await visit(t, { colorScheme, viewport: { width: 320, height: 640 } });
    for (const role of ["banner", "main", "contentinfo", "search"] as const)
      assert.equal(await page.getByRole(role).count(), 1, role);
    assert.equal(await page.locator("html").getAttribute("lang"), "en");
    assert.deepEqual(await page.getByRole("heading").allTextContents(), ["modfront", "Use it", "Stored here"]);
    assert.equal(await page.getByRole("searchbox", { name: "Part of a module path" }).count(), 1);
    assert.ok(Number(await page.evaluate(measureContrast)) >= 4.5, colorScheme);
    assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 320, "nothing sticks out");
  }
});

test("/ and /-/page are the same page, small whatever is stored, and answer HEAD", async () => {
  const [page, same, head] = await Promise.all([
    fetch(server.url),
    fetch(`${server.url}/-/page`),
    fetch(server.url, { method: "HEAD" }),
  ]);
  const text = await page.text();
  assert.equal(text, await same.text());
  assert.ok(text.length < 150_000, `${text.length} characters`);
  assert.deepEqual([head.status, head.headers.get("content-length")], [200, String(Buffer.byteLength(text))]);
});

test("the catalogue walks the index in the order of its key and stops at its limit", async (t) => {
  const database = openIndexDatabase(join(data.path, indexFile));
  t.after(() => database.close());
  const plan = (sql: string) =>
    (database.quick.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[]).map(({ detail }) => detail);
  assert.deepEqual(plan(catalogueStatements.modules), ["SEARCH version USING PRIMARY KEY (module>?)"]);
  assert.deepEqual(plan(catalogueStatements.versions), ["SEARCH version USING PRIMARY KEY (module=?)"]);
  const catalogue = new SqliteModuleCatalogue(database);
  const names = async (from: string, limit: number) =>
    (await catalogue.modules(from, limit)).map((each) => each.module);
  assert.deepEqual(await names("example.com/module-498", 3), [
    "example.com/module-498",
    "example.com/module-499",
    "github.com/Azure/sdk",
  ]);
  assert.deepEqual(await names("example.com/module-498\0", 1), ["example.com/module-499"], "the next slice");
  assert.deepEqual(await catalogue.modules("github.com/Azure/sdk", 5), [
    Object.assign(Object.create(null), { module: "github.com/Azure/sdk", versions: 2 }),
  ]);
  assert.equal((await catalogue.versions("github.com/Azure/sdk", 1)).length, 1);
});
