import { generateKeyPairSync } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { jwtVerify } from "jose";

const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });

/** The private key of the App, as GitHub hands it out: PKCS#1 in PEM. */
export const appKey = keys.privateKey.export({ type: "pkcs1", format: "pem" }).toString();

/** What is answered instead of what GitHub would. */
export interface ApiReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * The part of GitHub's API that an App needs for tokens, on 127.0.0.1: it verifies signatures and their times by a clock of
 * its own, and issues tokens as long as GitHub's.
 */
export class GithubApi implements AsyncDisposable {
  /** `"GET /users/corp/installation"`, in order. */
  readonly requests: string[] = [];
  /** All tokens that were issued, the newest last. */
  readonly tokens: string[] = [];
  readonly installations = new Map<string, number>([["corp", 77]]);
  /** What the next requests are answered, one each. */
  readonly replies: ApiReply[] = [];
  /** Milliseconds since 1970. */
  now = () => Date.now();
  /** Milliseconds that a token lasts. */
  life = 3_600_000;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<GithubApi> {
    const api = new GithubApi();
    await new Promise<void>((resolve, reject) => {
      api.#server.once("error", reject).listen(0, "127.0.0.1", resolve);
    });
    return api;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests.push(`${request.method} ${request.url}`);
    const body = await text(request);
    const reply = this.replies.shift() ?? (await this.#reply(request, body));
    const date = new Date(this.now()).toUTCString();
    response.writeHead(reply.status, { date, "content-type": "application/json", ...reply.headers });
    response.end(reply.body ?? "{}");
  }

  async #reply({ method, url = "", headers }: IncomingMessage, body: string): Promise<ApiReply> {
    if (!(await this.#isSigned(headers.authorization ?? ""))) return { status: 401 };
    const owner = /^\/users\/([^/]+)\/installation$/.exec(url)?.[1];
    if (method === "GET" && owner !== undefined) {
      const id = this.installations.get(owner);
      // As long as GitHub's own answer, which names permissions and events.
      return id === undefined
        ? { status: 404 }
        : { status: 200, body: JSON.stringify({ id, padding: "x".repeat(6_000) }) };
    }
    const id = Number(/^\/app\/installations\/(\d+)\/access_tokens$/.exec(url)?.[1]);
    if (method !== "POST" || ![...this.installations.values()].includes(id)) return { status: 404 };
    if (body !== '{"permissions":{"contents":"read"}}') return { status: 422 };
    const token = `ghs_${"t".repeat(510)}${String(this.tokens.push("")).padStart(6, "0")}`;
    this.tokens[this.tokens.length - 1] = token;
    const expires = new Date(this.now() + this.life).toISOString().replace(/\.\d+/, "");
    return { status: 201, body: JSON.stringify({ token, expires_at: expires }) };
  }

  async #isSigned(authorization: string): Promise<boolean> {
    const now = this.now();
    try {
      const options = { issuer: "1234", algorithms: ["RS256"], currentDate: new Date(now) };
      const { payload } = await jwtVerify(authorization.replace("Bearer ", ""), keys.publicKey, options);
      const { iat = Number.NaN, exp = Number.NaN } = payload;
      return iat * 1000 <= now && exp * 1000 <= now + 600_000;
    } catch {
      return false;
    }
  }
}
