import { createHash } from "node:crypto";

/**
 * In this header CloudFront is told what it keeps an answer under, beside its path: the distribution names it
 * (`CacheTagConfig`). It takes no others than those of an object's own headers.
 */
export const cacheTagHeader = "x-amz-meta-cache-tag";

/** The tag of all that is kept of a module, whose path may be longer than a tag, and nobody else's business. */
export function cacheTag(module: string): string {
  return createHash("sha256").update(module).digest("hex").slice(0, 32);
}
