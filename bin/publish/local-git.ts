import { PassThrough } from "node:stream";
import { UpstreamFailure } from "../../lambda/proxy/sources/upstream.ts";
import type { RawAnswer } from "../../lambda/upstream/http/exchange.ts";
import type { SendOptions } from "../../lambda/upstream/http/http-client.ts";
import type { Requester } from "../../lambda/upstream/http/requester.ts";
import { complaintOf, type GitProgram } from "./git-program.ts";

/** Any commit may be asked for, and no more of it than is needed: whoever runs this may read all of it anyway. */
const allowed = ["-c", "uploadpack.allowFilter=true", "-c", "uploadpack.allowAnySHA1InWant=true"] as const;

/** Bytes of what git complains about that are kept. */
const mostComplaints = 65_536;

/**
 * A git server of one request at a time, without a network: answers as git's http-backend would, out of a repository of this
 * machine, so that what reads repositories for `direct` reads this one.
 */
export class LocalGit implements Requester {
  readonly #git: GitProgram;
  readonly #repository: string;

  /** `repository` is the absolute path of what git calls its common directory. */
  constructor(git: GitProgram, repository: string) {
    this.#git = git;
    this.#repository = repository;
  }

  isTrusted(): boolean {
    return true;
  }

  async send(url: URL, { body, headers, signal }: SendOptions): Promise<RawAnswer> {
    const asks = url.pathname.endsWith("/info/refs") ? (["--advertise-refs"] as const) : [];
    const args = [...allowed, "upload-pack", "--stateless-rpc", ...asks, "--strict", this.#repository];
    const child = this.#git.start(args, { GIT_PROTOCOL: headers?.["git-protocol"] });
    const answer = new PassThrough();
    let complaint = "";
    child.stderr.setEncoding("utf8").on("data", (more: string) => {
      if (complaint.length < mostComplaints) complaint += more;
    });
    const end = () => child.kill();
    signal?.addEventListener("abort", end, { once: true });
    answer.on("close", end);
    child.on("error", (cause) => answer.destroy(new UpstreamFailure("unreachable", "needs git to be read", { cause })));
    child.on("close", (code) => {
      signal?.removeEventListener("abort", end);
      if (code === 0) answer.end();
      else answer.destroy(new UpstreamFailure("unreachable", `cannot be read by git: ${complaintOf(complaint)}`));
    });
    child.stdout.pipe(answer, { end: false });
    child.stdin.on("error", () => {}).end(body);
    const type = asks.length > 0 ? "advertisement" : "result";
    const said = { "content-type": [`application/x-git-upload-pack-${type}`], "transfer-encoding": ["chunked"] };
    return { statusCode: 200, headers: said, body: answer };
  }
}
