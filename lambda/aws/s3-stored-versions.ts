import { ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import { fileKey, internalPrefix, type ModuleVersion, parseFileKey } from "../proxy/store/layout.ts";
import { orStoreFailed } from "./aws-failure.ts";

/** Folders in which no module is: the first element of a module's path has a dot and begins with a letter or digit. */
const others = [internalPrefix, "sumdb/"] as const;

/** Files of a version: so many objects are asked for, for each version of a page. */
const filesOfVersion = 3;

/**
 * Returns what pages through the module versions of which a file is stored, in the order of their keys: up to so many that
 * come after a version. A call for each thousand objects at most, for work that nobody waits for.
 */
export function storedVersions(client: S3Client, bucket: string) {
  return async (after: ModuleVersion | undefined, limit: number): Promise<readonly ModuleVersion[]> => {
    const versions: ModuleVersion[] = [];
    // The zip is the last file of a version.
    let from = after === undefined ? behind(internalPrefix) : fileKey(after, "zip");
    for (;;) {
      const list = { Bucket: bucket, StartAfter: from, MaxKeys: Math.min(limit * filesOfVersion, 1000) };
      const answer = await orStoreFailed("listing what is stored", () => client.send(new ListObjectsV2Command(list)));
      const keys = (answer.Contents ?? []).map(({ Key = "" }) => Key);
      for (const key of keys) {
        const module = parseFileKey(key)?.module;
        if (module === undefined || isSame(module, versions.at(-1))) continue;
        if (versions.length === limit) return versions;
        versions.push(module);
      }
      const end = keys.at(-1);
      if (end === undefined || answer.IsTruncated !== true) return versions;
      const folder = others.find((each) => end.startsWith(each));
      from = folder === undefined ? end : behind(folder);
    }
  };
}

/** What sorts behind every key of a folder: in ASCII "0" comes after "/". */
function behind(folder: string): string {
  return `${folder.slice(0, -1)}0`;
}

function isSame(module: ModuleVersion, other: ModuleVersion | undefined): boolean {
  return module.path === other?.path && module.version === other.version;
}
