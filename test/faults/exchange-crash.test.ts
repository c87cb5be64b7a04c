import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { auditFile, openAuditDatabase } from "../../lambda/local/data/audit-database.ts";
import type { FailpointName } from "../../lambda/local/data/failpoints.ts";
import { SqliteAuditLog } from "../../lambda/local/data/sqlite-audit-log.ts";
import { dataFolder } from "../support/data-folder.ts";
import { ProductProcess } from "../support/product-process.ts";
import { ScriptedIssuer } from "../support/scripted-issuer.ts";

// kill -9 at the boundaries of an exchange: no token that is not written down, and no ID token that counts twice.

const rows: readonly (readonly [dieAt: FailpointName, events: number])[] = [
  ["audit.write.before", 0],
  ["audit.write.after", 1],
];

for (const [dieAt, events] of rows) {
  test(`killed at ${dieAt}: nobody has a token, ${events} events tell of one, and its ID token is used up`, async (t) => {
    await using issuer = await ScriptedIssuer.start();
    const data = dataFolder(t);
    const config = {
      upstreams: [{ patterns: "*", chain: "off" }],
      sumdb: { name: "off" },
      audit: { fetches: "none" },
      oidc: [{ issuer: issuer.issuer, audience: "modfront", rules: [{ match: { sub: "gopher" }, role: "publisher" }] }],
    };
    const body = JSON.stringify({ id_token: await issuer.token({ claims: { jti: "one" } }) });
    const ask = (url: string) =>
      fetch(`${url}/-/token`, { method: "POST", headers: { "content-type": "application/json" }, body });
    const counted = async () => {
      const database = openAuditDatabase(join(data, auditFile));
      const page = await new SqliteAuditLog(database).query({
        since: 0,
        until: 9e15,
        limit: 9,
        action: "token.exchange",
      });
      database.close();
      return page.events.length;
    };
    await using dying = await ProductProcess.start({ data, config, dieAt });
    await assert.rejects(ask(dying.url));
    assert.equal(await dying.ended, "SIGKILL");
    assert.equal(await counted(), events);
    await using again = await ProductProcess.start({ data, config });
    const { status } = await ask(again.url);
    assert.deepEqual([status, await counted()], [403, events]);
  });
}
