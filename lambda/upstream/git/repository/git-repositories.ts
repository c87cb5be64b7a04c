import { LRUCache } from "lru-cache";
import type { TemporaryFiles } from "../../../proxy/store/temporary-files.ts";
import { type Credentials, noCredentials } from "../../credentials/credentials.ts";
import type { Requester } from "../../http/requester.ts";
import { type GitLimits, gitLimits } from "../pack/git-limits.ts";
import { KeptGraphs } from "./commit-graphs.ts";
import type { GitRepository } from "./git-repository.ts";
import { GitServer } from "./git-server.ts";
import { GitTransport } from "./git-transport.ts";
import { HttpGitRepository } from "./http-git-repository.ts";
import { KeptPacks } from "./kept-packs.ts";
import { PackReceiver } from "./pack-receiver.ts";
import { PackThreads } from "./pack-threads.ts";

export interface GitRepositoriesOptions {
  readonly client: Requester;
  readonly credentials: Credentials;
  /** Where packfiles are received and kept. */
  readonly files: TemporaryFiles;
  /** The entry of threads that work on packfiles: lambda/upstream/git/repository/pack-worker.ts, or its bundle. */
  readonly script: URL;
  /** modfront and its version: `"modfront/1.2.3"`. */
  readonly agent: string;
  /** Milliseconds on a clock that does not go back. */
  readonly now: () => number;
  readonly limits?: Partial<GitLimits>;
}

/** Who opens a repository. */
export interface Opening {
  readonly anonymous?: boolean;
  /** A name for all with the same trust, without spaces. */
  readonly forWhom?: string;
  /** By which it is reached; the same for all of one name. */
  readonly client?: Requester;
}

/** Repositories that are remembered with what is known of them. */
const mostRepositories = 1_000;

/** All git repositories of a process: they share connections, threads, and the room on disk and in memory. */
export class GitRepositories {
  readonly #options: GitRepositoriesOptions;
  readonly #limits: GitLimits;
  readonly #threads: PackThreads;
  readonly #kept: KeptPacks;
  readonly #graphs: KeptGraphs;
  readonly #opened = new LRUCache<string, GitRepository>({ max: mostRepositories });

  constructor(options: GitRepositoriesOptions) {
    this.#options = options;
    this.#limits = { ...gitLimits, ...options.limits };
    this.#threads = new PackThreads(options.script);
    this.#kept = new KeptPacks(options.files, this.#limits);
    this.#graphs = new KeptGraphs(this.#limits);
  }

  /**
   * The repository at an http or https URL, which has no credentials in it. Nothing is sent before it is asked for something.
   *
   * What is opened for others (`forWhom`), or without credentials, is another repository: neither knows what the other was told.
   */
  open(url: URL, { anonymous = false, forWhom = "", client = this.#options.client }: Opening = {}): GitRepository {
    const key = [forWhom, ...(anonymous ? ["anonymous"] : []), url.href].join(" ");
    const known = this.#opened.get(key);
    if (known !== undefined) return known;
    const { files, agent, now } = this.#options;
    const credentials = anonymous ? noCredentials : this.#options.credentials;
    const shared = { threads: this.#threads, kept: this.#kept, graphs: this.#graphs, limits: this.#limits, files };
    const transport = new GitTransport(url, { client, credentials });
    const server = new GitServer({ transport, limits: this.#limits, agent, now });
    const receiver = new PackReceiver({ ...shared, server });
    const repository = new HttpGitRepository({ ...shared, key, server, receiver });
    this.#opened.set(key, repository);
    return repository;
  }

  /** Ends all threads, and removes what is kept. The client is its owner's to close. */
  async close(): Promise<void> {
    await this.#threads.close();
    await this.#kept.close();
  }
}
