import type { Discovery } from "./discovery.ts";
import { KeptAnswers, type KeptAnswersOptions } from "./kept-answers.ts";
import type { RepositoryAddress } from "./repository-address.ts";

/** Module paths whose addresses are kept. */
const mostKept = 10_000;

/** Where modules are, found once for all who ask within a while. */
export class KnownAddresses implements Pick<Discovery, "find"> {
  readonly #discovery: Pick<Discovery, "find">;
  readonly #kept: KeptAnswers<RepositoryAddress>;

  constructor(discovery: Pick<Discovery, "find">, options: Omit<KeptAnswersOptions, "max">) {
    this.#discovery = discovery;
    this.#kept = new KeptAnswers({ ...options, max: mostKept });
  }

  /** Throws what `Discovery.find` throws, or the signal's reason. */
  async find(path: string, signal?: AbortSignal): Promise<RepositoryAddress> {
    return (await this.#kept.get(path, () => this.#discovery.find(path), { signal })).value;
  }
}
