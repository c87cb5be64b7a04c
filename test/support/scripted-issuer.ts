import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";

type PrivateKey = Awaited<ReturnType<typeof generateKeyPair>>["privateKey"];

export interface IssuedToken {
  readonly claims?: JWTPayload;
  readonly header?: Record<string, unknown>;
  /** Milliseconds of its issue, five minutes before its end. */
  readonly now?: number;
  /** Claims that are left out. */
  readonly without?: readonly string[];
}

/** An issuer whose every document, key and token a test decides. */
export class ScriptedIssuer implements AsyncDisposable {
  readonly issuer: string;
  /** How often each document was asked for, by its path. */
  readonly asked: Record<string, number> = {};
  /** What is answered in place of a document, by its path. */
  readonly instead = new Map<string, (response: ServerResponse) => void>();
  readonly #server: Server;
  readonly #keys: { readonly kid: string; readonly alg: string; readonly key: PrivateKey; readonly jwk: object }[] = [];

  private constructor(server: Server) {
    this.#server = server;
    this.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", ({ url = "" }, response) => {
      this.asked[url] = (this.asked[url] ?? 0) + 1;
      const own = this.instead.get(url);
      if (own !== undefined) return own(response);
      const document = this.#documents()[url];
      response.writeHead(document === undefined ? 404 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(document ?? {}));
    });
  }

  static async start(): Promise<ScriptedIssuer> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const issuer = new ScriptedIssuer(server);
    await issuer.addKey("first");
    return issuer;
  }

  /** Begins to publish a key, with which tokens are signed from now on. */
  async addKey(kid: string, alg = "ES256"): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    this.#keys.unshift({ kid, alg, key: privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } });
  }

  removeKey(kid: string): void {
    const at = this.#keys.findIndex((each) => each.kid === kid);
    this.#keys.splice(at, 1);
  }

  /** The public keys as they are published. */
  get keys(): readonly Record<string, unknown>[] {
    return this.#keys.map(({ jwk }) => jwk as Record<string, unknown>);
  }

  /** A token for `modfront`, good for five minutes. */
  async token({ claims = {}, header = {}, now = Date.now(), without = [] }: IssuedToken = {}): Promise<string> {
    const [first] = this.#keys;
    if (first === undefined) throw new Error("no key");
    const seconds = Math.floor(now / 1000);
    const all: JWTPayload = {
      iss: this.issuer,
      aud: "modfront",
      sub: "gopher",
      iat: seconds,
      exp: seconds + 300,
      ...claims,
    };
    for (const name of without) delete all[name];
    return await new SignJWT(all)
      .setProtectedHeader({ alg: first.alg, kid: first.kid, typ: "JWT", ...header })
      .sign(first.key);
  }

  #documents(): Readonly<Record<string, object>> {
    return {
      "/.well-known/openid-configuration": { issuer: this.issuer, jwks_uri: `${this.issuer}/keys` },
      "/keys": { keys: this.keys },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
