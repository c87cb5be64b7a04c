import { GitFailure } from "../pack/git-failure.ts";
import type { GitLimits } from "../pack/git-limits.ts";
import { isObjectId, type ObjectFormat, type ObjectId } from "../pack/object-id.ts";

/** A tag, by one listing. */
export interface TagRef {
  /** What the tag itself is: the tag object of an annotated tag, else the same as `target`. */
  readonly id: ObjectId;
  /** What it comes to when tag objects are followed: usually a commit, but nobody has looked yet. */
  readonly target: ObjectId;
}

/** What one listing of refs says. Names are without `refs/heads/` and `refs/tags/`, in the server's order. */
export interface RefListing {
  readonly objectFormat: ObjectFormat;
  /**
   * The branch that HEAD stands for (`"main"`, not detached) and the commit it is at (not unborn). Both undefined where
   * the server has no HEAD, or does not show it.
   */
  readonly head: { readonly branch: string | undefined; readonly id: ObjectId | undefined };
  readonly heads: ReadonlyMap<string, ObjectId>;
  readonly tags: ReadonlyMap<string, TagRef>;
}

/** Takes in the lines of a listing, of either protocol, one by one. Throws `GitFailure` "bad-answer" or "too-large". */
export class RefCollector {
  readonly #format: ObjectFormat;
  readonly #limits: GitLimits;
  readonly #heads = new Map<string, ObjectId>();
  readonly #tags = new Map<string, TagRef>();
  #branch: string | undefined;
  #id: ObjectId | undefined;
  #count = 0;

  constructor(format: ObjectFormat, limits: GitLimits) {
    this.#format = format;
    this.#limits = limits;
  }

  /** What an id is in this repository. */
  id(text: string): ObjectId {
    if (!isObjectId(text, this.#format)) throw new GitFailure("bad-answer", "listed a ref without a hash");
    return text;
  }

  /** Names that git would refuse are left out; of two of one name the first counts. */
  add(
    name: string,
    id: ObjectId | undefined,
    more: { readonly symref?: string; readonly peeled?: ObjectId } = {},
  ): void {
    if (++this.#count > this.#limits.refs) throw new GitFailure("too-large", "has too many refs");
    if (name === "HEAD") {
      this.#id = id;
      this.pointHead(more.symref);
      return;
    }
    if (id === undefined || !isRefName(name)) return;
    const head = below("refs/heads/", name);
    if (head !== undefined && !this.#heads.has(head)) this.#heads.set(head, id);
    const tag = below("refs/tags/", name);
    if (tag !== undefined && !this.#tags.has(tag)) this.#tags.set(tag, { id, target: more.peeled ?? id });
  }

  /** Says what the tag comes to that was added before. */
  peel(name: string, target: ObjectId): void {
    const tag = below("refs/tags/", name) ?? "";
    const known = this.#tags.get(tag);
    if (known !== undefined) this.#tags.set(tag, { id: known.id, target });
  }

  pointHead(symref: string | undefined): void {
    if (symref !== undefined && isRefName(symref)) this.#branch = below("refs/heads/", symref);
  }

  listing(): RefListing {
    return {
      objectFormat: this.#format,
      head: { branch: this.#branch, id: this.#id },
      heads: this.#heads,
      tags: this.#tags,
    };
  }
}

function below(prefix: string, name: string): string | undefined {
  return name.startsWith(prefix) && name.length > prefix.length ? name.slice(prefix.length) : undefined;
}

/** git-check-ref-format(1), of a whole name. */
export function isRefName(name: string): boolean {
  return (
    name.length <= 1_024 &&
    !/[\x00-\x20\x7f~^:?*[\\\ufffd]|\.\.|@\{|\/\/|\/$|^\/|\.$/.test(name) &&
    name.split("/").every((part) => !part.startsWith(".") && !part.endsWith(".lock"))
  );
}
