import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { makeDataFolder } from "../support/data-folder.ts";
import { eventually } from "../support/eventually.ts";
import { git, hasGit } from "../support/git-repository.ts";
import { type GitServer, startGitServer } from "../support/git-server.ts";
import { GoMachine, skipWithoutGo } from "../support/go-command.ts";
import { get, type Product, startProduct } from "../support/product.ts";
import { deliver, delivery, type Sender, senders, standardHeaders } from "../support/webhook-deliveries.ts";

// Hooks of five kinds to a server on one machine, over git's own http-backend. Whatever is remembered is good for an hour
// here: what is seen before that was told by a hook, or found by a sweep.

const hour = 3_600;
const skip = hasGit ? skipWithoutGo : "git is not installed";
const folder = makeDataFolder();
const repositories = join(folder.path, "repositories");
const nameOf = (sender: string) => sender.replaceAll(" ", "-");
const moduleOf = (sender: string) => `corp.example/${nameOf(sender)}.git`;

/** A bare repository with `v1.0.0` of its module. */
function makeRepository(name: string): string {
  const path = join(repositories, name);
  mkdirSync(path, { recursive: true });
  git(path, ["init", "--quiet", "--bare", "--initial-branch=main"]);
  const blob = git(path, ["hash-object", "-w", "--stdin"], `module corp.example/${name}.git\n`).toString().trim();
  const tree = git(path, ["mktree"], `100644 blob ${blob}\tgo.mod\n`).toString().trim();
  commit(path, tree, "v1.0.0");
  return path;
}

/** A commit on main with the same files, which a tag may name; its hash. */
function commit(path: string, tree: string, ...tags: readonly string[]): string {
  const author = ["-c", "user.name=A", "-c", "user.email=a@corp.example"];
  const id = git(path, [...author, "commit-tree", tree, "-m", tags.join(" ") || "work"])
    .toString()
    .trim();
  git(path, ["update-ref", "refs/heads/main", id]);
  for (const tag of tags) git(path, ["update-ref", `refs/tags/${tag}`, id]);
  return id;
}

function push(name: string, ...tags: readonly string[]): string {
  const path = join(repositories, name);
  return commit(path, git(path, ["rev-parse", "main^{tree}"]).toString().trim(), ...tags);
}

describe("webhooks", { skip }, () => {
  let server: GitServer;
  let product: Product;

  function config(more: object = {}): object {
    return {
      private: ["corp.example"],
      upstreams: [{ patterns: ["corp.example/*"], chain: "direct" }],
      git: { rewrite: [{ from: "https://corp.example/", to: `${server.url}/` }] },
      sumdb: { name: "off" },
      access: { anonymous: "all" },
      ttl: { list: hour, query: hour, notFound: hour },
      sweep: { minutes: 0 },
      webhooks: Object.fromEntries(
        Object.entries(senders).map(([name, { kind, secret, repository }]) => {
          const file = join(folder.path, `${nameOf(name)}.secret`);
          writeFileSync(file, `${secret}\n`);
          return [nameOf(name), { kind, repositories: { [repository]: moduleOf(name) }, secret: { file } }];
        }),
      ),
      ...more,
    };
  }

  before(async () => {
    server = await startGitServer(repositories);
    for (const name of Object.keys(senders)) makeRepository(nameOf(name));
    for (const name of ["burst", "swept"]) makeRepository(name);
    product = await startProduct({ data: join(folder.path, "data"), config: config() });
  });

  after(async () => {
    await product?.stop();
    await server?.close();
    folder.remove();
  });

  const text = async (path: string, of = product) => (await get(of.url, path)).body.toString();
  const list = (module: string, of = product) => text(`/${module}/@v/list`, of);

  for (const [name, sender] of Object.entries(senders)) {
    const module = moduleOf(name);

    test(`${name}: a tag is seen by go as soon as the hook has come`, async () => {
      using machine = new GoMachine(product.url, { GONOSUMDB: "corp.example" }).write(
        "go.mod",
        "module example.com/main\n\ngo 1.25\n",
      );
      const versions = async () => (await machine.go("list", "-m", "-versions", module)).stdout;
      assert.equal(await versions(), `${module} v1.0.0\n`);
      assert.equal((await get(product.url, `/${module}/@v/v1.1.0.info`)).status, 404);
      push(nameOf(name), "v1.1.0");
      assert.equal(await versions(), `${module} v1.0.0\n`);
      assert.equal((await get(product.url, `/${module}/@v/v1.1.0.info`)).status, 404);
      assert.equal((await deliver(product.url, nameOf(name), delivery(sender)))[0], 202);
      await eventually(async () => (await versions()) === `${module} v1.0.0 v1.1.0\n`);
      await eventually(async () => /"v1\.1\.0"/.test(await text(`/${module}/@latest`)));
      assert.equal((await get(product.url, `/${module}/@v/v1.1.0.info`)).status, 200);
    });

    test(`${name}: what is wrong with a delivery is said, and nothing is done`, async () => {
      const url = product.url;
      const followed = async () => /outcome="followed"} (\d+)/.exec(await text("/-/metrics"))?.[1];
      const { headers, body } = delivery(sender);
      const proof = headers[sender.proof] ?? "";
      const hook = nameOf(name);
      const again = { headers, body };
      assert.deepEqual(await deliver(url, hook, again), [202, "the repository is looked at"]);
      const other = JSON.stringify(JSON.parse(body), (key, value) =>
        /^(?:full_name|path_with_namespace)$/.test(key) ? "corp/other" : value,
      );
      const { [sender.proof]: _, ...without } = headers;
      const last = proof.at(-1) === "0" ? "1" : "0";
      const forged = proof.endsWith("=") ? proof.replace(/^v1,./, "v1,_") : proof.slice(0, -1) + last;
      const rows: readonly (readonly [readonly [number, string], Parameters<typeof deliver>[2]])[] = [
        [[202, "this delivery was taken before"], again],
        [
          [403, "the delivery is not signed with the secret of this webhook"],
          { headers: { ...headers, [sender.proof]: forged }, body },
        ],
        [
          [403, "the delivery is not signed with the secret of this webhook"],
          { headers: { ...headers, [sender.proof]: "sha256=" }, body },
        ],
        [
          [401, "the delivery is not signed: set the secret of the webhook at its host"],
          { headers: { ...headers, [sender.proof]: "" }, body },
        ],
        [[401, "the delivery is not signed: set the secret of the webhook at its host"], { headers: without, body }],
        [[202, "this repository is not among those of the webhook: nothing is done"], delivery(sender, other)],
        [[400, "the body is not the JSON of a webhook"], delivery(sender, "{")],
        [[400, "the body is not the JSON of a webhook"], delivery(sender, "[1]")],
        [[413, "the body has more than 1048576 bytes"], delivery(sender, " ".repeat((1 << 20) + 1))],
      ];
      const before = await followed();
      for (const [answer, wrong] of rows) assert.deepEqual(await deliver(url, hook, wrong), answer);
      assert.deepEqual(await deliver(url, "nobody", delivery(sender)), [404, "there is no webhook of this name"]);
      assert.equal(await followed(), before);
    });
  }

  test("a body that was changed is not what was signed", async () => {
    for (const [name, sender] of Object.entries(senders)) {
      if (sender.proof === "x-gitlab-token") continue;
      const { headers, body } = delivery(sender);
      assert.equal((await deliver(product.url, nameOf(name), { headers, body: `${body} ` }))[0], 403, name);
    }
  });

  test("a signature of a time that is five minutes off counts no more, and one for another delivery never", async () => {
    const sender = senders["gitlab with signatures"] as Sender;
    const { body } = delivery(sender);
    const now = Math.floor(Date.now() / 1000);
    const at = async (seconds: number, more = {}) => {
      const signed = standardHeaders(body, sender.secret, `id ${seconds}`, seconds);
      const headers = { "x-gitlab-event": "Tag Push Hook", ...signed, ...more };
      return (await deliver(product.url, "gitlab-with-signatures", { headers, body }))[0];
    };
    assert.deepEqual([await at(now - 200), await at(now - 400), await at(now + 400)], [202, 403, 403]);
    assert.deepEqual(
      [await at(now, { "webhook-id": "another" }), await at(now, { "x-gitlab-token": sender.secret })],
      [403, 202],
    );
    const { "webhook-signature": signature = "" } = standardHeaders(body, sender.secret, `id ${now + 1}`, now + 1);
    assert.equal(await at(now + 1, { "webhook-signature": `v1,AAAA ${signature}` }), 202);
    // Who has a secret for signatures is not shown the secret itself.
    const bare = { headers: { "x-gitlab-event": "Tag Push Hook", "x-gitlab-token": sender.secret }, body };
    assert.equal((await deliver(product.url, "gitlab-with-signatures", bare))[0], 401);
  });

  test("a form is JSON in a field, and what is no change of refs is taken note of", async () => {
    const sender = senders.github as Sender;
    const form = delivery(sender, `payload=${encodeURIComponent(delivery(sender).body)}`);
    const asForm = { ...form, headers: { ...form.headers, "content-type": "application/x-www-form-urlencoded" } };
    assert.deepEqual(await deliver(product.url, "github", asForm), [202, "the repository is looked at"]);
    const { headers, body } = delivery(sender, '{"zen":"Keep it logically awesome."}');
    const ping = { headers: { ...headers, "x-github-event": "ping" }, body };
    assert.deepEqual(await deliver(product.url, "github", ping), [202, "this event changes no version"]);
  });

  test("a push of 50 tags, and of a branch that was asked for, is one look at the repository", async () => {
    const sender = senders.github as Sender;
    const module = moduleOf("github");
    const branch = async () => JSON.parse(await text(`/${module}/@v/main.info`)).Version as string;
    await branch();
    const tags = Array.from({ length: 50 }, (_, i) => `v1.2.${i}`);
    push("github", ...tags);
    const id = push("github");
    // More than three tags at once make no event of their own at GitHub: the branch's tells of the repository.
    const payload = JSON.stringify({ ...JSON.parse(delivery(sender).body), ref: "refs/heads/main" });
    assert.equal((await deliver(product.url, "github", delivery(sender, payload)))[0], 202);
    await eventually(async () => {
      const versions = (await list(module)).split("\n");
      return tags.every((tag) => versions.includes(tag));
    });
    await eventually(async () => (await branch()).endsWith(id.slice(0, 12)));
  });

  test("a burst of hooks is a handful of looks", async () => {
    const sender = senders.github as Sender;
    const data = join(folder.path, "burst");
    const file = join(folder.path, "github.secret");
    const webhooks = {
      burst: { kind: "github", repositories: { "Corp/lib": "corp.example/burst.git" }, secret: { file } },
    };
    const own = await startProduct({ data, config: config({ webhooks }) });
    try {
      const looks = () => server.requests.filter((line) => line.startsWith("GET /burst/info/refs")).length;
      assert.equal(await list("corp.example/burst.git", own), "v1.0.0\n");
      const before = looks();
      for (let round = 0; round < 10; round++) {
        if (round === 9) push("burst", "v1.1.0");
        const answers = await Promise.all(
          Array.from({ length: 50 }, () => deliver(own.url, "burst", delivery(sender))),
        );
        assert.ok(answers.every(([status]) => status === 202));
      }
      await eventually(async () => (await list("corp.example/burst.git", own)) === "v1.0.0\nv1.1.0\n");
      assert.ok(looks() - before < 250, `${looks() - before} looks for 500 hooks`);
    } finally {
      await own.stop();
    }
  });

  test("what no hook told of, a sweep finds, in all processes of a data folder", async () => {
    const data = join(folder.path, "swept");
    const module = "corp.example/swept.git";
    const file = join(folder.path, "github.secret");
    const webhooks = { swept: { kind: "github", repositories: { "corp/swept": [module] }, secret: { file } } };
    const one = await startProduct({ data, config: config({ webhooks }) });
    try {
      assert.equal(await list(module, one), "v1.0.0\n");
      push("swept", "v1.1.0");
      assert.equal(await list(module, one), "v1.0.0\n");
      const other = await startProduct({ data, config: config({ webhooks, sweep: { minutes: 15 } }) });
      try {
        await eventually(async () => (await list(module, one)) === "v1.0.0\nv1.1.0\n");
        assert.equal(await list(module, other), "v1.0.0\nv1.1.0\n");
      } finally {
        await other.stop();
      }
    } finally {
      await one.stop();
    }
  });

  test("a secret that is empty, or no key behind its prefix, ends the start with the key's name", async () => {
    const { WebhookSecrets } = await import("../../lambda/webhooks/webhook-secrets.ts");
    for (const secret of ["", "\n", "  ", "whsec_", "whsec_short"]) {
      const webhooks = { hook: { kind: "github", repositories: {}, secret: { env: "HOOK" } } } as const;
      const secrets = new WebhookSecrets(
        webhooks,
        async () => secret,
        () => 0,
      );
      await assert.rejects(secrets.check(), { code: "config", message: /^configuration key webhooks\.hook\.secret: / });
    }
  });
});
