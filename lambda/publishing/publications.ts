import type { Actor, AuditedChanges, Changed, Happened } from "../access/audit/audited-changes.ts";
import { CodedError, isCodedError } from "../golang/coded-error.ts";
import type { FillPlane, FillRequest, PublicationReport, Published, Yanked } from "../proxy/store/fill-plane.ts";
import type { ModuleVersion } from "../proxy/store/layout.ts";
import type { Purges } from "../proxy/store/purges.ts";
import type { VersionIndex } from "../proxy/store/version-index.ts";

export interface PublicationsParts {
  readonly fill: FillPlane;
  readonly changes: AuditedChanges;
  readonly purges: Purges;
  /** Finds out how changes ended that broke off, where nothing else does. */
  readonly settle?: (() => Promise<void>) | undefined;
}

/** What is published and yanked, none of which happens without its event in the audit log. */
export class Publications {
  readonly #parts: PublicationsParts;

  constructor(parts: PublicationsParts) {
    this.#parts = parts;
  }

  /** Throws as `PublishFill.publish` does. */
  async publish(actor: Actor, module: ModuleVersion, upload: string, report: PublicationReport): Promise<Published> {
    return await this.#change(actor, "module.publish", module, report.commit ?? "", async () => {
      const published: Published = await this.#ask({ kind: "publish", module, upload, report });
      if (published.outcome === "conflict") throw new ConflictError(module, published);
      return published;
    });
  }

  /** Hides a version, or shows it again. Throws `CodedError` "no-such-version". */
  async yank(actor: Actor, module: ModuleVersion, { on, reason }: { on: boolean; reason: string }): Promise<void> {
    await this.#change(actor, on ? "module.yank" : "module.unyank", module, reason, async () => {
      const { found }: Yanked = await this.#ask({ kind: "yank", module, on });
      if (!found) throw new CodedError("no-such-version", `${module.path}@${module.version} is not here`);
    });
  }

  async #change<T>(actor: Actor, action: string, module: ModuleVersion, target: string, change: () => Promise<T>) {
    const { changes, purges, settle } = this.#parts;
    // What cannot be settled now is settled later.
    const settled = settle?.().catch(() => {});
    try {
      const run = async (intend: (changed: Changed) => Promise<void>) => {
        await intend({ module: module.path, version: module.version, target });
        return await change();
      };
      const result = await changes.run(actor, action, run, (error) => isCodedError<string>(error, ...refusals));
      await purges.purge(module.path);
      return result;
    } finally {
      await settled;
    }
  }

  async #ask<T>(request: FillRequest): Promise<T> {
    const answer = await this.#parts.fill.fill(request);
    if (!("body" in answer)) throw new Error(`the answer to ${request.kind} is not what it must be`);
    return JSON.parse(new TextDecoder().decode(answer.body)) as T;
  }
}

/** Errors that say that nothing was changed. */
const refusals = ["conflict", "publish-refused", "policy-refused", "no-such-version"] as const;

/** The version is there with other bytes. */
export class ConflictError extends CodedError<"conflict"> {
  readonly published: Published;

  constructor({ path, version }: ModuleVersion, published: Published) {
    super("conflict", `${path}@${version} is there with other bytes, and a version never changes`);
    this.published = published;
  }
}

/**
 * Whether an intended change of this has happened, by what the index says of the version since. Of a version that has become
 * visible meanwhile nobody knows whether this publication brought it, or one after it.
 */
export function publicationHappened(index: Pick<VersionIndex, "module">): Happened {
  return async ({ action, module, version, time }) => {
    if (!["module.publish", "module.yank", "module.unyank"].includes(action)) return undefined;
    const { versions } = await index.module(module);
    const row = versions.find((each) => each.version === version);
    if (action === "module.publish") return row !== undefined && row.firstSeen >= time ? undefined : false;
    return row?.flags.includes("yanked") === (action === "module.yank");
  };
}
