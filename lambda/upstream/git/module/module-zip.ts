import { createWriteStream } from "node:fs";
import { unlink } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { CheckedFilesError, maxZipFile } from "../../../golang/checked-files.ts";
import { CodedError, isCodedError } from "../../../golang/coded-error.ts";
import type { ModuleVersion } from "../../../golang/module.ts";
import { create } from "../../../golang/zip.ts";
import { AttributeError } from "../attributes/attribute-error.ts";
import { GitFailure } from "../pack/git-failure.ts";
import type { GitLimits } from "../pack/git-limits.ts";
import { Objects, type SnapshotPlace } from "../pack/objects.ts";
import { moduleFiles } from "./module-files.ts";

/** A zip that is to be made; plain data. */
export interface ZipJob {
  readonly module: ModuleVersion;
  readonly place: SnapshotPlace;
  /** The module's folder in the commit. */
  readonly directory: string;
  /** The file that it is written to, which nobody else uses. */
  readonly output: string;
  readonly limits: GitLimits;
}

/**
 * "done", with its bytes; "refused" go's rules allow no zip of these files; "failed" the objects, or the machine, did not
 * do their part.
 */
export type ZipResult =
  | { readonly kind: "done"; readonly size: number }
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "failed"; readonly why: string };

/** Makes the zip of a module version in a file; memory does not depend on its size. Leaves no file behind that is no zip. */
export async function writeModuleZip(job: ZipJob): Promise<ZipResult> {
  const objects = new Objects(job.place, job.limits);
  try {
    return { kind: "done", size: await writeZip(job, objects) };
  } catch (error) {
    await unlink(job.output).catch(() => {});
    return failed(error);
  } finally {
    objects.close();
  }
}

async function writeZip({ module, place, directory, output }: ZipJob, objects: Objects): Promise<number> {
  const zip = await create(module, moduleFiles(objects, place.tree, directory));
  let size = 0;
  async function* counted(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      size += chunk.length;
      if (size > maxZipFile) throw new CodedError("zip-too-large", `the zip is larger than ${maxZipFile} bytes`);
      yield chunk;
    }
  }
  await pipeline(zip, counted, createWriteStream(output, { flags: "wx" }));
  return size;
}

function failed(error: unknown): ZipResult {
  if (error instanceof GitFailure) return { kind: "failed", why: error.message };
  if (error instanceof AttributeError || error instanceof CheckedFilesError || isCodedError(error)) {
    return { kind: "refused", why: (error as Error).message };
  }
  return { kind: "failed", why: error instanceof Error ? error.message : String(error) };
}
