import { CodedError } from "../../golang/coded-error.ts";
import { checkPath } from "../../golang/module.ts";
import type { FillRequest } from "../store/fill-plane.ts";
import { isVersionOf } from "../store/module-version.ts";

/** The modules of one repository to be brought up to date, because it has changed; and what these branches of it mean. */
export interface FollowJob {
  readonly kind: "follow";
  readonly paths: readonly string[];
  readonly branches: readonly string[];
}

/**
 * Work that nobody waits for: something to fill, a module to bring up to date, a repository to be followed or all of them,
 * a file of this key to have its row, or what was stored before there was a log of our own to be logged.
 */
export type BackgroundJob =
  | Extract<FillRequest, { readonly kind: "info" | "mod" | "zip" }>
  | { readonly kind: "refresh"; readonly path: string }
  | FollowJob
  | { readonly kind: "sweep" }
  | { readonly kind: "reveal"; readonly key: string }
  | { readonly kind: "backlog" };

/** Reads a job that came through a queue. Throws `CodedError` "bad-job": trying again would not help. */
export function parseJob(text: string): BackgroundJob {
  try {
    return checkJob(JSON.parse(text));
  } catch (cause) {
    throw new CodedError("bad-job", "the message is no job", { cause });
  }
}

function checkJob(value: {
  readonly kind?: unknown;
  readonly path?: unknown;
  readonly key?: unknown;
  readonly paths?: unknown;
  readonly branches?: unknown;
  readonly module?: { readonly path?: unknown; readonly version?: unknown };
}): BackgroundJob {
  const { kind } = value;
  if (kind === "refresh") {
    const path = String(value.path);
    checkPath(path);
    return { kind, path };
  }
  if (kind === "backlog" || kind === "sweep") return { kind };
  if (kind === "follow") {
    const [paths, branches] = [value.paths, value.branches].map(textsOf);
    for (const path of paths ?? []) checkPath(path);
    return { kind, paths: paths ?? [], branches: branches ?? [] };
  }
  if (kind === "reveal" && typeof value.key === "string") return { kind, key: value.key };
  if (kind !== "info" && kind !== "mod" && kind !== "zip") throw new Error("unknown kind");
  const module = { path: String(value.module?.path), version: String(value.module?.version) };
  if (!isVersionOf(module.path, module.version)) throw new Error("no version of this module");
  return { kind, module };
}

function textsOf(value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw new Error("no list");
  return value.map(String);
}
