import { type FileKind, type ModuleVersion, parseFileKey } from "../store/layout.ts";
import type { BackgroundJob } from "./background-job.ts";
import { type FollowParts, follow } from "./follow.ts";
import { fillNewVersions, type NewVersionsParts } from "./new-versions.ts";

export interface BackgroundParts extends FollowParts {
  /** Makes the version of a stored file visible where it is not. */
  readonly reveal: (kind: FileKind, module: ModuleVersion) => Promise<void>;
  /** Logs some of what was stored before there was a log of our own. */
  readonly logBacklog: () => Promise<void>;
  /** Has every repository followed of which hooks tell. */
  readonly sweep: () => Promise<void>;
}

/** Does a job. Throws what the fill plane throws; doing it again is harmless. */
export async function runJob(parts: BackgroundParts, job: BackgroundJob): Promise<void> {
  if (job.kind === "refresh") await refresh(parts, job.path);
  else if (job.kind === "reveal") await reveal(parts, job.key);
  else if (job.kind === "backlog") await parts.logBacklog();
  else if (job.kind === "follow") await follow(parts, job);
  else if (job.kind === "sweep") await parts.sweep();
  else await parts.fill.fill(job);
}

/** People put files of other names into the bucket, too. */
async function reveal(parts: BackgroundParts, key: string): Promise<void> {
  const file = parseFileKey(key);
  if (file !== undefined) await parts.reveal(file.kind, file.module);
}

/** Asks for the list and latest of a module, so that both are fresh, and fills the versions newer than what is stored. */
async function refresh(parts: NewVersionsParts, path: string): Promise<void> {
  const { fill } = parts;
  const list = await fill.fill({ kind: "list", path });
  await fill.fill({ kind: "latest", path });
  await fillNewVersions(parts, path, "body" in list ? new TextDecoder().decode(list.body) : "");
}
