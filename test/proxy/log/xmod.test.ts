import { test } from "node:test";
import { dataFolder } from "../../support/data-folder.ts";
import { openLocalLog } from "../../support/local-log.ts";
import { holdAgainstXmod } from "../../support/log-oracle.ts";
import { skipWithoutGo } from "../../support/xmod.ts";

// x/mod's own client and tlog as the judge of small logs; `npm run test:log` has the large ones.

for (const size of [1, 2, 255, 256, 257]) {
  test(`x/mod finds every record, tile and older head in a log of ${size}`, { skip: skipWithoutGo }, async (t) => {
    const parts = await openLocalLog(dataFolder(t));
    t.after(() => parts.database.close());
    const sizes = [1, 2, 3, 77, 128, 255, 256, 257].filter((each) => each <= size);
    await holdAgainstXmod(t, parts, { sizes, lookups: Array.from({ length: size }, (_, i) => i) });
  });
}
