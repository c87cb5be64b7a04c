import { unescapePath } from "../golang/module.ts";
import { policies } from "../proxy/store/layout.ts";
import type { ObjectHeaders } from "./s3-module-store.ts";

/**
 * Under which headers S3 hands out the file with this key, the same as the API would.
 *
 * What belongs to a private module is marked so: no cache that is shared keeps it, CloudFront's included.
 */
export function objectHeaders(key: string, isPrivate: (module: string) => boolean): ObjectHeaders {
  const file = /^(.+?)\/@v\/[^/]+\.(info|mod|zip)$/.exec(key);
  if (file?.[1] === undefined) return { contentType: "application/octet-stream", cacheControl: "no-store" };
  const { contentType, cacheControl } = policies[file[2] as "info" | "mod" | "zip"];
  const own = isPrivate(unescapePath(file[1]));
  return { contentType, cacheControl: own ? cacheControl.replace("public", "private") : cacheControl };
}
