import { setTimeout as sleep } from "node:timers/promises";

/** Milliseconds: longer than anything takes that works, also on a machine with much else to do. */
const limit = 120_000;

/** Resolves when `holds` does; fails after two minutes, for what is broken would be waited for without an end. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + limit;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`this did not come true: ${holds}`);
    await sleep(20);
  }
}
