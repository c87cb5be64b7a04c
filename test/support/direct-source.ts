import type { IncomingHttpHeaders } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { GitHttpServer, type GitRequest } from "./git-http-server.ts";
import { GitObjects } from "./git-objects.ts";

function isFetch({ body }: GitRequest): boolean {
  return body.includes("command=fetch");
}

/** What a module of the server below is called: `repo.git` is the repository itself, `team/lib` a page that leads to it. */
export const directModules = { suffixed: "corp.example/repo.git", paged: "corp.example/team/lib" } as const;

/**
 * A git server at `https://corp.example/repo`, by a rewrite, with the page of a second module that leads to the same
 * repository; whoever shows other credentials than `authorization` is answered 401.
 */
export class DirectSource implements AsyncDisposable {
  readonly server: GitHttpServer;
  authorization: string | undefined;
  /** In place of that: whether what is shown is taken. */
  accepts: ((authorization: string | undefined) => boolean) | undefined;
  /** Milliseconds before the next packfile is sent, and none before those after it. */
  delay = 0;
  readonly #commits: string[] = [];

  private constructor(server: GitHttpServer) {
    this.server = server;
  }

  static async start(module: string = directModules.suffixed): Promise<DirectSource> {
    const source: DirectSource = new DirectSource(
      await GitHttpServer.start(
        new GitObjects(),
        { HEAD: "ref: refs/heads/main" },
        {
          wait: (request) => (isFetch(request) ? source.#pause() : undefined),
          intercept: (request, response) => {
            const { status, body } = source.#answerBefore(request);
            if (status === 0) return undefined;
            response
              .writeHead(status, { "www-authenticate": 'Basic realm="git"', "content-type": "text/html" })
              .end(body);
            return "done";
          },
        },
      ),
    );
    source.commit(module, "package lib\n\nconst Name = `one`\n", "v1.0.0");
    return source;
  }

  /** The configuration that leads to it: private modules straight from their repositories. */
  get config() {
    return {
      private: ["corp.example"],
      upstreams: [{ patterns: ["corp.example/*"], chain: "direct" }],
      git: { rewrite: [{ from: "https://corp.example/", to: `${this.server.url.origin}/` }] },
    };
  }

  /** All that were shown so far. */
  get shown(): readonly IncomingHttpHeaders["authorization"][] {
    return [...new Set(this.server.requests.map(({ headers }) => headers.authorization))];
  }

  /** How often the files of a tag were asked for. Who has some of the repository asks for the commit alone before, by a filter. */
  fetched(tag: string): number {
    const id = this.server.refs[`refs/tags/${tag}`];
    const isOfFiles = ({ body }: GitRequest) => body.includes(`want ${id}`) && !body.includes("filter tree:0");
    return this.server.requests.filter((request) => isFetch(request) && isOfFiles(request)).length;
  }

  /** Adds a commit to main, which a tag may name; the commit's hash. */
  commit(module: string, code: string, tag?: string): string {
    const { git, refs } = this.server;
    const tree = git.tree({ "go.mod": `module ${module}\n\ngo 1.25\n`, "lib.go": code });
    const time = 1_700_000_000 + 100 * this.#commits.length;
    const id = git.commit(tree, { parents: this.#commits.slice(-1), time });
    this.#commits.push(id);
    refs["refs/heads/main"] = id;
    if (tag !== undefined) refs[`refs/tags/${tag}`] = id;
    return id;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server[Symbol.asyncDispose]();
  }

  #pause(): Promise<void> {
    const { delay } = this;
    this.delay = 0;
    return sleep(delay);
  }

  #answerBefore({ url, headers }: GitRequest): { readonly status: number; readonly body?: string } {
    const expected = this.authorization;
    const accepts = this.accepts ?? ((shown) => expected === undefined || shown === expected);
    if (!accepts(headers.authorization)) return { status: 401, body: `no: ${headers.authorization}` };
    if (!url.endsWith("?go-get=1")) return { status: 0 };
    const meta = `<meta name="go-import" content="${directModules.paged} git https://corp.example/repo">`;
    return url.startsWith("/team/lib") ? { status: 200, body: `<head>${meta}</head>` } : { status: 404, body: "" };
  }
}
