import { SingleFlight } from "../../../proxy/store/single-flight.ts";
import type { GitRepository } from "../repository/git-repository.ts";
import type { RefListing } from "../repository/ref-listing.ts";

interface Kept {
  readonly listing: RefListing;
  readonly at: number;
}

export interface RefListingsOptions {
  /** Milliseconds on a clock that does not go back. */
  readonly now: () => number;
  /** Milliseconds for which a listing is good. */
  readonly freshFor: number;
}

/** Listings that are kept, of so many repositories. */
const mostKept = 256;

/** Milliseconds within which a listing is not made again, even for a version that is not in it. */
const shortest = 2_000;

/** The refs of repositories, listed once for all who ask within a while. */
export class RefListings {
  readonly #options: RefListingsOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #flights = new SingleFlight<Kept>();

  constructor(options: RefListingsOptions) {
    this.#options = options;
  }

  /** A listing that is good; `isNew` is false for one that was kept. Throws what `GitRepository.refs` throws. */
  async get(
    repository: GitRepository,
    signal?: AbortSignal,
  ): Promise<{ readonly listing: RefListing; readonly isNew: boolean }> {
    const kept = this.#recall(repository.url, this.#options.freshFor);
    if (kept !== undefined) return { listing: kept.listing, isNew: false };
    return { listing: (await this.#list(repository, signal)).listing, isNew: true };
  }

  /** A newer listing than one in which something was not found, or nothing when that was made a moment ago. */
  async renew(repository: GitRepository, signal?: AbortSignal): Promise<RefListing | undefined> {
    if (this.#recall(repository.url, shortest) !== undefined) return undefined;
    return (await this.#list(repository, signal)).listing;
  }

  #recall(url: string, age: number): Kept | undefined {
    const kept = this.#kept.get(url);
    return kept !== undefined && this.#options.now() - kept.at < age ? kept : undefined;
  }

  /** Nobody's signal ends what others wait for as well; who gives up just waits no longer. */
  async #list(repository: GitRepository, signal: AbortSignal | undefined): Promise<Kept> {
    const listed = this.#flights.run(repository.url, async () => {
      const at = this.#options.now();
      const kept = { listing: await repository.refs(), at };
      this.#keep(repository.url, kept);
      return kept;
    });
    return signal === undefined ? listed : Promise.race([listed, aborted(signal)]);
  }

  #keep(url: string, kept: Kept): void {
    this.#kept.delete(url);
    this.#kept.set(url, kept);
    if (this.#kept.size <= mostKept) return;
    const [oldest = ""] = this.#kept.keys();
    this.#kept.delete(oldest);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
