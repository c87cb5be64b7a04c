import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "../../../lambda/config/config.ts";
import { localAccess } from "../../../lambda/local/access/local-access.ts";

test("without a token everything is served on loopback, nothing elsewhere, unless configured", () => {
  const rows: readonly (readonly [host: string, config: string, anonymous: string])[] = [
    ["127.0.0.1", "{}", "all"],
    ["127.1.2.3", "{}", "all"],
    ["::1", "{}", "all"],
    ["localhost", "{}", "all"],
    ["0.0.0.0", "{}", "none"],
    ["::", "{}", "none"],
    ["10.0.0.1", "{}", "none"],
    ["localhost.example", "{}", "none"],
    ["", "{}", "none"],
    ["127.0.0.1", '{"access":{"anonymous":"none"}}', "none"],
    ["0.0.0.0", '{"access":{"anonymous":"public"}}', "public"],
  ];
  for (const [host, config, anonymous] of rows) {
    assert.equal(localAccess({ host, config: parseConfig(config) }).anonymous, anonymous, host);
  }
  const config = parseConfig('{"private":["corp.example/*","*.corp.example"]}');
  assert.equal(localAccess({ host: "::1", config }).private, "corp.example/*,*.corp.example");
});
