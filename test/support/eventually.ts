import { setTimeout as sleep } from "node:timers/promises";

/** Resolves when `holds` does; the test's own time-out is the end of its patience. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20);
}
