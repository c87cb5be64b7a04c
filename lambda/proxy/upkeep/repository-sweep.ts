import type { Clock } from "../store/clock.ts";
import type { TreeHeadStore } from "../store/tree-head-store.ts";
import type { FollowJob } from "./background-job.ts";

export interface RepositorySweepParts {
  /** The modules of each repository of which hooks tell. */
  readonly repositories: readonly (readonly string[])[];
  /** Between two sweeps; never one where it is 0. */
  readonly minutes: number;
  /** Where it is remembered, for all processes, when the last one began. */
  readonly heads: TreeHeadStore;
  readonly clock: Pick<Clock, "now" | "after">;
  readonly follow: (job: FollowJob) => void;
  /** At least 0, below 1: so that processes that start together do not look together. */
  readonly random: () => number;
}

const name = "repository sweep";

/** Milliseconds between two looks at whether a sweep is due, and until the first one. */
const looks = { between: 60_000, first: 2_000 } as const;

/** The jobs of a sweep: hooks get lost, and hosts do not send one for everything. */
export function sweepJobs(repositories: readonly (readonly string[])[]): readonly FollowJob[] {
  return repositories.map((paths) => ({ kind: "follow", paths, branches: [] }));
}

/**
 * Follows all repositories every so often, whatever hooks tell, in one of all processes; returns what stops it. When the last
 * sweep began outlives the process, so that a start is no reason for one.
 */
export function startRepositorySweep(parts: RepositorySweepParts): () => void {
  const { clock, minutes, repositories, random } = parts;
  if (minutes === 0 || repositories.length === 0) return () => {};
  let stop = () => {};
  const next = (pause: number) => {
    stop = clock.after(pause, () => {
      // Where it cannot be remembered now it is looked again.
      void sweepIfDue(parts)
        .catch(() => {})
        .then(() => next(looks.between * (0.5 + random())));
    });
  };
  next(looks.first * random());
  return () => stop();
}

/** True where it was this process's turn. */
export async function sweepIfDue(parts: Omit<RepositorySweepParts, "random">): Promise<boolean> {
  const { heads, clock, minutes, repositories, follow } = parts;
  const last = await heads.read(name);
  const now = clock.now();
  if (last !== undefined && now - Number(new TextDecoder().decode(last)) < minutes * 60_000) return false;
  if (!(await heads.replace(name, last, new TextEncoder().encode(String(now))))) return false;
  for (const job of sweepJobs(repositories)) follow(job);
  return true;
}
