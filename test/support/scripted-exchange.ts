import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { decodeJwt } from "jose";
import type { Certificate } from "./certificate.ts";

/** What a scripted modfront is to do. */
export interface ExchangeScript {
  readonly issuers: readonly { readonly issuer: string; readonly clientId?: string }[];
  /** How long its tokens last. */
  seconds: number;
  /** What it says instead of giving one: status, and the detail of a problem or a line of text. */
  refusal?: readonly [status: number, body: string];
  /** That it takes what it is sent and answers nothing. */
  hangs?: boolean;
  /** Milliseconds by which its clock is ahead of this machine's. */
  readonly ahead?: number;
}

/** `POST /-/token` and what says who may come, over TLS, and without any judgement: for faults that no modfront has. */
export class ScriptedExchange implements AsyncDisposable {
  readonly script: ExchangeScript;
  /** Subjects of the ID tokens that were exchanged. */
  readonly subjects: unknown[] = [];
  /** What was shown beside the exchange. */
  readonly authorizations: unknown[] = [];
  /** How many wait for an answer that does not come. */
  hanging = 0;
  readonly #server: Server;

  private constructor(script: ExchangeScript, { cert, key }: Certificate) {
    this.script = script;
    this.#server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  static async start(script: ExchangeScript, certificate: Certificate): Promise<ScriptedExchange> {
    const exchange = new ScriptedExchange(script, certificate);
    await once(exchange.#server.listen(0, "127.0.0.1"), "listening");
    return exchange;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The token that the exchange of that number gives, from 1. */
  static token(number: number): string {
    return `mf_${Buffer.from(`token ${number}`).toString("base64url")}.${"s".repeat(43)}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { issuers, seconds, refusal, ahead = 0, hangs } = this.script;
    const now = Date.now() + ahead;
    response.setHeader("date", new Date(now).toUTCString());
    if (request.url !== "/-/token") {
      this.authorizations.push(request.headers.authorization);
      return void response.writeHead(404).end();
    }
    if (request.method === "GET") return void response.end(JSON.stringify({ issuers }));
    const { id_token } = JSON.parse(await text(request));
    if (hangs) return void this.hanging++;
    if (refusal !== undefined) return void response.writeHead(refusal[0], { location: "/-/gosumdb" }).end(refusal[1]);
    this.subjects.push(decodeJwt(id_token).sub);
    const expires = new Date(now + seconds * 1000).toISOString();
    response.end(JSON.stringify({ token: ScriptedExchange.token(this.subjects.length), expires }));
  }
}
