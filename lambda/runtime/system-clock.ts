import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../proxy/store/clock.ts";

/** The machine's own time, for composition roots to hand on. */
export const systemClock: Clock = { now: () => Date.now(), sleep: (milliseconds) => sleep(milliseconds) };
