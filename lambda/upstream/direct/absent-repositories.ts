import { type Upstream, type UpstreamBody, UpstreamFailure } from "../../proxy/sources/upstream.ts";
import type { Credentials } from "../credentials/credentials.ts";
import type { Discovery } from "../git/discovery/discovery.ts";
import { parseDirectRequest } from "../git/module/direct-request.ts";
import { GitFailure } from "../git/pack/git-failure.ts";
import { followRedirects } from "../http/followed-answer.ts";
import type { Visits } from "./visits.ts";

export interface AbsentRepositoriesParts {
  readonly direct: Upstream;
  readonly discovery: Pick<Discovery, "find">;
  readonly visits: Pick<Visits, "to">;
  readonly credentials: Credentials;
  readonly isPrivate: (modulePath: string) => boolean;
}

/** Milliseconds for the page of a repository. */
const time = 30_000;

/**
 * `direct`, which tells a repository that is not there from one that is closed.
 *
 * GitHub and others ask whoever has no credentials for some, whether there is a repository or not. As for go
 * (cmd/go/internal/modfetch/codehost/git.go) the page at the repository's URL decides: where that is 404, nothing is there. Not for
 * private modules: the page of a private repository is 404 too, and so is to GitHub a repository that it does not show to who asks
 * with credentials. A 404 would send go with its name to the next proxy.
 */
export class AbsentRepositories implements Upstream {
  readonly name: string;
  readonly #parts: AbsentRepositoriesParts;

  constructor(parts: AbsentRepositoriesParts) {
    this.name = parts.direct.name;
    this.#parts = parts;
  }

  async get(path: string, call: Parameters<Upstream["get"]>[1]): Promise<UpstreamBody> {
    try {
      return await this.#parts.direct.get(path, call);
    } catch (error) {
      if (!(error instanceof UpstreamFailure)) throw error;
      if (isHidden(error) && this.#parts.isPrivate(parseDirectRequest(path).module)) throw closed(error);
      if (error.details?.status !== 401 || !(await this.#isAbsent(parseDirectRequest(path).module, call.signal)))
        throw error;
      const details = { status: 404, text: "repository not found" };
      throw new UpstreamFailure("status", "has no such version", { cause: error, details });
    }
  }

  /** False also when that cannot be found out. */
  async #isAbsent(module: string, signal: AbortSignal | undefined): Promise<boolean> {
    const { discovery, visits, credentials, isPrivate } = this.#parts;
    if (isPrivate(module)) return false;
    try {
      const address = await discovery.find(module, signal);
      if (address.kind !== "git") return false;
      const { url, client, anonymous } = visits.to(address.url, module);
      const shown = anonymous ? undefined : await credentials.authorize(url, signal);
      if (shown !== undefined) return false;
      const late = AbortSignal.timeout(time);
      const either = signal === undefined ? late : AbortSignal.any([signal, late]);
      const { answer } = await followRedirects(client, url, undefined, { signal: either });
      answer.body.on("error", () => {}).destroy();
      return answer.statusCode === 404 || answer.statusCode === 410;
    } catch {
      signal?.throwIfAborted();
      return false;
    }
  }
}

/** True where the host itself says 404 to the repository: its rules said where it is, and 410 would be certain. */
function isHidden({ cause }: UpstreamFailure): boolean {
  return cause instanceof GitFailure && cause.code === "no-repository" && cause.status === 404;
}

function closed(cause: UpstreamFailure): UpstreamFailure {
  const message = `${cause.message}, as hosts do for what they do not show`;
  return new UpstreamFailure("status", message, { cause, details: { status: 401, text: undefined } });
}
