import { test } from "node:test";
import { runSchedule } from "../../support/log-schedule.ts";

// `npm run test:log` runs more of them.

for (const first of [0, 20, 40]) {
  test(`schedules ${first} to ${first + 19} of processes whose calls fail, land unheard or come late`, async () => {
    for (let seed = first; seed < first + 20; seed++) await runSchedule(seed);
  });
}
