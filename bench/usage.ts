import { readdirSync, readFileSync } from "node:fs";

/** What a process and all below it have used. */
export interface Usage {
  /** CPU seconds, user and system, since they started. */
  readonly cpu: number;
  /** Bytes of memory held now, by each process. */
  readonly rss: readonly number[];
  /** The most bytes that each process ever held. */
  readonly peak: readonly number[];
}

/** Clock ticks a second in /proc: the same on every Linux (man 5 proc, sysconf(_SC_CLK_TCK)). */
const ticks = 100;

/** Reads from /proc what a process and its children use. Children that have ended are in their parent's time. */
export function readUsage(pid: number): Usage {
  const all = family(pid).flatMap((each) => readProcess(each) ?? []);
  return {
    cpu: all.reduce((sum, { cpu }) => sum + cpu, 0),
    rss: all.map(({ rss }) => rss),
    peak: all.map(({ peak }) => peak),
  };
}

function family(pid: number): readonly number[] {
  const children = childrenOf(pid);
  return [pid, ...children.flatMap(family)];
}

function childrenOf(pid: number): readonly number[] {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    return tasks.flatMap((task) => {
      const text = readFileSync(`/proc/${pid}/task/${task}/children`, "utf8");
      return text.split(" ").filter(Boolean).map(Number);
    });
  } catch {
    return [];
  }
}

interface ProcessUsage {
  readonly cpu: number;
  readonly rss: number;
  readonly peak: number;
}

function readProcess(pid: number): ProcessUsage | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return { cpu: parseCpu(readFileSync(`/proc/${pid}/stat`, "utf8")), ...parseMemory(status) };
  } catch {
    return undefined;
  }
}

/** CPU seconds of a `/proc/<pid>/stat` line, ended children included; the name in it may have spaces and brackets. */
export function parseCpu(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [utime, stime, cutime, cstime] = fields.slice(11, 15).map(Number);
  return ((utime ?? 0) + (stime ?? 0) + (cutime ?? 0) + (cstime ?? 0)) / ticks;
}

/** Bytes out of `/proc/<pid>/status`. */
export function parseMemory(status: string): { readonly rss: number; readonly peak: number } {
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? 0);
  return { rss: kilobytes("VmRSS") * 1024, peak: kilobytes("VmHWM") * 1024 };
}
