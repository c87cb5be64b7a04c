import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openLocalCredentials } from "../../../lambda/local/server/local-credentials.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { ModfrontProcess } from "../../support/modfront-process.ts";
import { filePath, moduleFixture } from "../../support/module-fixture.ts";
import { get } from "../../support/product.ts";
import { ScriptedUpstream } from "../../support/scripted-upstream.ts";

// `npm start` with credentials of every kind: who is shown them, and where they are found afterwards, which is nowhere.

const secrets = { env: "env-0a1b2c3d", file: "file-4e5f6a7b", netrc: "netrc-8c9d0e1f", wrong: "wrong-2a3b4c5d" };
const encoded = (user: string, secret: string) => Buffer.from(`${user}:${secret}`).toString("base64");
const expected: Readonly<Record<string, string>> = {
  env: `Bearer ${secrets.env}`,
  file: `Basic ${encoded("oauth2", secrets.file)}`,
  netrc: `Basic ${encoded("me", secrets.netrc)}`,
  wrong: `Basic ${encoded("git", secrets.wrong)}`,
};

/** Every file below a folder, as text. */
function contents(folder: string): readonly (readonly [string, string])[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map((file) => join(file.parentPath, file.name)).map((path) => [path, readFileSync(path, "latin1")]);
}

/** A chain with one module of each way, and the flags and environment that lead there. */
function settings(folder: string, upstream: ScriptedUpstream, other: ScriptedUpstream) {
  const { host } = new URL(upstream.url);
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const config = {
    private: ["corp.example"],
    upstreams: [
      { patterns: ["corp.example/netrc"], chain: other.url },
      ...["env", "file", "wrong", "moved"].map((name) => ({
        patterns: [`corp.example/${name}`],
        chain: `${upstream.url}/${name}`,
      })),
    ],
    credentials: [
      { match: `${host}/env`, kind: "bearer", secret: { env: "UPSTREAM_TOKEN" } },
      { match: `${host}/file`, kind: "basic", user: "oauth2", secret: { file: write("token", `${secrets.file}\n`) } },
      { match: host, kind: "basic", secret: { env: "OTHER_TOKEN" } },
    ],
  };
  const NETRC = write("netrc", `machine ${new URL(other.url).host} login me password ${secrets.netrc}\n`);
  return {
    flags: ["--config", write("config.json", JSON.stringify(config)), "--upstream", "off"],
    environment: { NETRC, UPSTREAM_TOKEN: secrets.env, OTHER_TOKEN: secrets.wrong },
  };
}

for (const format of ["text", "json"] as const) {
  test(`credentials reach their upstreams, and no output, page, process list or data folder (${format} log)`, async (t) => {
    const [folder, data] = [dataFolder(t), dataFolder(t)];
    await using upstream = await ScriptedUpstream.start();
    await using other = await ScriptedUpstream.start();
    for (const name of ["env", "file", "netrc", "moved"]) {
      const fixture = moduleFixture(`corp.example/${name}`);
      for (const kind of ["info", "mod", "zip"] as const) {
        const path = filePath(fixture, kind);
        const server = name === "netrc" || name === "moved" ? other : upstream;
        server.on(server === other ? path : `/${name}${path}`, { body: fixture[kind] });
        if (name === "moved") upstream.on(`/moved${path}`, { status: 302, headers: { location: other.url + path } });
      }
    }
    // It says what it was sent, as pages that help with debugging do.
    upstream.otherwise(({ path, headers }) => ({
      status: path.endsWith("/list") ? 403 : 401,
      headers: { "content-type": "text/plain", "www-authenticate": `Basic realm="${headers.authorization}"` },
      body: `not for ${headers.authorization}`,
    }));

    const { flags, environment } = settings(folder, upstream, other);
    await using modfront = await ModfrontProcess.startIn(environment, "--data", data, "--log", format, ...flags);
    const answers: string[] = [];
    const ask = async (path: string) => {
      const { status, headers, body } = await get(modfront.url, path);
      answers.push(`${status} ${JSON.stringify(headers)} ${body.toString("latin1")}`);
      return status;
    };
    for (const name of ["env", "file", "netrc", "moved"])
      assert.equal(await ask(`/corp.example/${name}/@v/v1.0.0.zip`), 200, answers.at(-1));
    assert.equal(await ask("/corp.example/wrong/@v/v1.0.0.zip"), 502);
    const said = async (path: string) => (await get(modfront.url, path)).body.toString();
    const refused = [await said("/corp.example/wrong/@v/v1.0.0.mod"), await said("/corp.example/wrong/@v/list")];
    assert.deepEqual(refused, [
      `upstream ${upstream.url} wants credentials that modfront does not have: answered 401\n`,
      `upstream ${upstream.url} refuses it: answered 403\n`,
    ]);
    for (const path of ["/", "/-/metrics", "/-/ready"]) await ask(path);

    const sent = (server: ScriptedUpstream, part: string) => [
      ...new Set(server.requests.filter(({ path }) => path.includes(part)).map(({ headers }) => headers.authorization)),
    ];
    for (const name of ["env", "file", "wrong"]) assert.deepEqual(sent(upstream, `/${name}/`), [expected[name]], name);
    assert.deepEqual(sent(other, "/netrc/"), [expected.netrc]);
    assert.deepEqual(
      sent(other, "/moved/"),
      [undefined],
      "a redirect to another origin carries none, nor finds some there",
    );

    const cmdline = `/proc/${modfront.pid}/cmdline`;
    const everything = [
      ["the output", modfront.output],
      ["the answers", [...answers, ...refused].join("\n")],
      ["the process list", existsSync(cmdline) ? readFileSync(cmdline, "latin1") : ""],
      ...contents(data),
    ] as const;
    assert.match(modfront.output, /\/corp\.example\/wrong\/@v\/list/);
    for (const secret of [
      ...Object.values(secrets),
      ...Object.values(expected).map((each) => each.replace(/^\w+ /, "")),
    ])
      for (const [where, text] of everything) assert.ok(!text.includes(secret), where);
  });
}

test("a secret that is missing stops the start, with its key", async (t) => {
  const folder = dataFolder(t);
  const config = join(folder, "config.json");
  const start = async (secret: object) => {
    writeFileSync(config, JSON.stringify({ credentials: [{ match: "a.example", kind: "basic", secret }] }));
    return ModfrontProcess.run("--config", config, "--data", join(folder, "data"), "--port", "0");
  };
  const line = "modfront: configuration key credentials.0.secret: the secret cannot be read\n";
  for (const secret of [{ env: "NO_SUCH_VARIABLE" }, { file: join(folder, "none") }, { file: folder }]) {
    const { code, stderr } = await start(secret);
    assert.deepEqual([code, stderr], [2, line], JSON.stringify(secret));
  }
});

test("one machine reads secrets of AWS too, and a netrc file that cannot be read is said once", async (t) => {
  const warnings: string[] = [];
  const read: string[] = [];
  const open = await openLocalCredentials({
    rules: [{ match: "a.example", kind: "bearer", secret: { aws: "corp/git" } }],
    // A folder is no file.
    environment: { NETRC: dataFolder(t) },
    platform: "linux",
    readAwsSecret: async (id) => {
      read.push(id);
      return "t0ken";
    },
    now: () => 0,
    elapsed: () => 0,
    warn: (line) => warnings.push(line),
  });
  const credentials = open(() => assert.fail("no API is asked"));
  assert.equal((await credentials.authorize(new URL("https://a.example/x")))?.header, "Bearer t0ken");
  assert.equal(await credentials.authorize(new URL("https://b.example/x")), undefined);
  assert.deepEqual(
    [read, warnings],
    [["corp/git"], ["the netrc file cannot be read, so that its credentials are not used"]],
  );
});
