import assert from "node:assert/strict";
import { test } from "node:test";
import { dataFolder } from "../support/data-folder.ts";
import { GoMachine, skipWithoutGo } from "../support/go-command.ts";
import { ModfrontProcess } from "../support/modfront-process.ts";
import { filePath, moduleFixture, versionsPath } from "../support/module-fixture.ts";
import { ScriptedUpstream } from "../support/scripted-upstream.ts";

// With GOPROXY=modfront,next: what the upstream of modfront does not have may come from the next proxy, and nothing else.

const module = moduleFixture("corp.example/m");
const text = { "content-type": "text/plain; charset=utf-8" };

const answers: readonly (readonly [status: number, fromNext: boolean])[] = [
  [404, true],
  [410, true],
  [400, false],
  [403, false],
  [409, false],
  [418, false],
  [429, false],
  [451, false],
  [503, false],
];

for (const [status, fromNext] of answers) {
  test(`an upstream answers ${status}: go ${fromNext ? "asks the next proxy" : "stops"}`, {
    skip: skipWithoutGo,
  }, async (t) => {
    await using upstream = await ScriptedUpstream.start();
    upstream.otherwise(() => ({ status, headers: text, body: "gone by order of nobody\n" }));
    await using next = await ScriptedUpstream.start();
    next.on(`${versionsPath(module)}/list`, { body: "v1.0.0\n" });
    for (const kind of ["info", "mod", "zip"] as const) next.on(filePath(module, kind), { body: module[kind] });
    await using modfront = await ModfrontProcess.start("--data", dataFolder(t), "--upstream", upstream.url);
    const environment = { GONOSUMDB: "corp.example", GOINSECURE: "*" };
    using machine = new GoMachine(`${modfront.url},${next.url}`, environment);
    const run = await machine.go("mod", "download", "corp.example/m@v1.0.0");
    assert.deepEqual([run.code === 0, next.requests.length > 0], [fromNext, fromNext], run.stderr);
    if (status === 451) assert.match(run.stderr, /502 Bad Gateway[\s\S]*answered 451: gone by order of nobody/);
  });
}
