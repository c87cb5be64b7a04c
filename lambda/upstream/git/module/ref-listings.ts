import { KeptAnswers, type KeptAnswersOptions } from "../discovery/kept-answers.ts";
import type { GitRepository } from "../repository/git-repository.ts";
import type { RefListing } from "../repository/ref-listing.ts";

/** Listings that are kept, of so many repositories: one of 1,000 tags is about 200 KB. */
const mostKept = 256;

/** Milliseconds within which a listing is not made again, even for a version that is not in it. */
const shortest = 2_000;

/** The refs of repositories, listed once for all who ask within a while. */
export class RefListings {
  readonly #kept: KeptAnswers<RefListing>;

  constructor(options: Omit<KeptAnswersOptions, "max">) {
    this.#kept = new KeptAnswers({ ...options, max: mostKept });
  }

  /**
   * A listing that is good, and not older than `maxAge` milliseconds; `isNew` is false for one that was kept. Throws what
   * `GitRepository.refs` throws.
   */
  async get(
    repository: GitRepository,
    { signal, maxAge }: { readonly signal?: AbortSignal | undefined; readonly maxAge?: number | undefined } = {},
  ): Promise<{ readonly listing: RefListing; readonly isNew: boolean }> {
    const { value, isNew } = await this.#kept.get(repository.key, () => repository.refs(), { signal, maxAge });
    return { listing: value, isNew };
  }

  /** A newer listing than one in which something was not found, or nothing when that was made a moment ago. */
  async renew(repository: GitRepository, signal?: AbortSignal): Promise<RefListing | undefined> {
    const age = shortest;
    const { value, isNew } = await this.#kept.get(repository.key, () => repository.refs(), { signal, age });
    return isNew ? value : undefined;
  }
}
