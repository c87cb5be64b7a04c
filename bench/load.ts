import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";

/** What one run of load came to. */
export interface Load {
  readonly requests: number;
  readonly perSecond: number;
}

/** Sends GETs of one URL with wrk, one thread, for some seconds. Throws when an answer is not a 200. */
export async function load(url: string, connections: number, seconds: number): Promise<Load> {
  const args = ["-t1", `-c${connections}`, `-d${seconds}s`, url];
  const output = await text(spawn("wrk", args, { stdio: ["ignore", "pipe", "inherit"] }).stdout);
  return parseLoad(output);
}

/** Reads wrk's report. */
export function parseLoad(output: string): Load {
  const failed = /Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)/.exec(output)?.[0];
  if (failed !== undefined) throw new Error(`wrk: ${failed}`);
  const requests = Number(/^\s*(\d+) requests in/m.exec(output)?.[1]);
  const perSecond = Number(/^Requests\/sec:\s+([\d.]+)/m.exec(output)?.[1]);
  if (!(requests > 0 && perSecond > 0)) throw new Error("wrk: no report");
  return { requests, perSecond };
}
