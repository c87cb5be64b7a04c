import type { ReplayReport } from "./replay-upstream.ts";
import type { Measured, Replay } from "./servers.ts";

/**
 * Another proxy, given as `--peer`: `name=url` is one that somebody started, of which nothing but its answers can be
 * measured; `name=command` starts one in front of our upstream on an empty folder, as often as a part needs one.
 */
export type Peer =
  | { readonly name: string; readonly url: string }
  | {
      readonly name: string;
      /** For the shell; `{port}`, `{upstream}` (a URL; of part git the git server) and `{folder}` are put in. */
      readonly command: string;
    };

/** What a part of the benchmark works with. */
export interface Bench {
  /** A folder of this run, removed at its end. */
  readonly folder: string;
  readonly replay: Replay;
  /** How often everything is measured; the targets take turns. */
  readonly rounds: number;
  readonly peers: readonly Peer[];
  readonly hasNginx: boolean;
  readonly hasLoad: boolean;
  readonly hasGo: boolean;
  /** Takes down what one run of one target gave. */
  add(row: string, target: string, values: Readonly<Record<string, number>>): void;
  /** Tells the operator what is being done, or was left out and why. */
  say(line: string): void;
}

export type Part = (bench: Bench) => Promise<void>;

/** The files that are measured alone, out of the graph of go-client.ts. */
export const files = {
  small: "/github.com/prometheus/prometheus/@v/v0.310.0",
  zip100K: "/gopkg.in/yaml.v3/@v/v3.0.1.zip",
  zip7M: "/github.com/docker/docker/@v/v28.5.2+incompatible.zip",
  zip9M: "/golang.org/x/text/@v/v0.33.0.zip",
  others: [
    "/github.com/prometheus/prometheus/@v/v0.310.0.info",
    "/gotest.tools/v3/@v/v3.5.1.zip",
    "/github.com/googleapis/enterprise-certificate-proxy/@v/v0.3.11.zip",
  ],
} as const;

export const megabyte = 1e6;

/** GETs a URL to its end; the number of bytes and the seconds it took. Throws unless it is a whole 200. */
export async function get(url: string): Promise<{ readonly bytes: number; readonly seconds: number }> {
  const started = performance.now();
  const answer = await fetch(url);
  if (answer.status !== 200 || answer.body === null) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  let bytes = 0;
  for await (const chunk of answer.body) bytes += chunk.length;
  return { bytes, seconds: (performance.now() - started) / 1000 };
}

/** How many requests an upstream got, whatever they were for. */
export function total({ requests }: Pick<ReplayReport, "requests">): number {
  return Object.values(requests).reduce((sum, count) => sum + count, 0);
}

/** Memory of a server in MB: of its largest process at its peak, and of all together now. */
export function memory(server: Measured): Readonly<Record<string, number>> {
  const { peak, rss } = server.usage();
  return {
    "peak RSS of a process, MB": Math.max(...peak) / megabyte,
    "RSS in total, MB": rss.reduce((sum, each) => sum + each, 0) / megabyte,
  };
}
