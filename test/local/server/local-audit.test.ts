import { test } from "node:test";
import { blankEvent } from "../../../lambda/access/audit/audit-event.ts";
import { parseConfig } from "../../../lambda/config/config.ts";
import { openLocalAudit } from "../../../lambda/local/server/local-audit.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { eventually } from "../../support/eventually.ts";

test("what a process that died left is settled while the server goes on, too", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  let now = Date.UTC(2026, 0, 1);
  const decided = new TextEncoder().encode(JSON.stringify({ ours: "", theirs: "", decided: true }));
  const audit = openLocalAudit(
    { data: dataFolder(t), config: parseConfig("{}") },
    {
      clock: { now: () => now } as never,
      router: { isPrivate: () => false } as never,
      warn: () => {},
      ofVersions: async () => undefined,
      heads: { read: async () => decided } as never,
    },
  );
  await audit.begin();
  const { audit: log } = audit.administration;
  await log.write({ ...blankEvent, action: "log.keep-ours", target: "x.example", decision: "intended", time: now });
  now += 3_600_000;
  t.mock.timers.tick(3_600_000);
  const shown = async () =>
    (await log.query({ since: 0, until: now + 1, limit: 9 })).events.map(({ decision, rule }) => `${decision} ${rule}`);
  await eventually(async () => (await shown()).join() === "intended ,done settled");
  await audit.stop();
});
