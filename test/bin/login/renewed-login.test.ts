import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Login } from "../../../bin/login/login.ts";
import { renewedLogin } from "../../../bin/login/renewed-login.ts";
import { dataFolder } from "../../support/data-folder.ts";

test("a token that another process got meanwhile is not the one that was refused, however long ago that was", async (t) => {
  const home = dataFolder(t);
  const server = "https://127.0.0.1:1";
  const now = Date.now();
  const kept: Login = {
    token: "mf_kept",
    obtained: now - 60_000,
    expires: now + 3_600_000,
    // Has nothing in it: a renewal fails, and is noted.
    renewal: { kind: "environment", name: "NOTHING" },
  };
  mkdirSync(join(home, ".config/modfront"), { recursive: true });
  writeFileSync(join(home, ".config/modfront/logins.json"), JSON.stringify({ [server]: kept }), { mode: 0o600 });
  const rows = [
    ["mf_earlier", true, 0],
    ["mf_kept", false, 0],
    ["mf_kept", true, 1],
  ] as const;
  for (const [token, isRefused, tried] of rows) {
    const notes: string[] = [];
    const note = (line: string) => notes.push(line);
    const renewer = { platform: "linux", environment: { HOME: home }, now: () => now, note };
    const login = await renewedLogin(server, { login: { ...kept, token }, isRefused }, renewer);
    assert.equal(login?.token, "mf_kept");
    assert.equal(notes.length, tried, `${token} ${isRefused}: ${notes}`);
  }
});
