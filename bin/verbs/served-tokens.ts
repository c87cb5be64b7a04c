import { ServedModfront } from "./served-modfront.ts";
import type { Terminal } from "./verb.ts";

/** A token as it is shown over HTTP. */
export interface ServedToken {
  readonly id: string;
  readonly subject: string;
  readonly role: string;
  readonly modules: readonly string[];
  readonly created: string;
  readonly expires: string;
  readonly revoked?: string;
}

/** The tokens of a running modfront, that of MODFRONT_TOKEN or of `login` being the one that may change them. */
export class ServedTokens {
  readonly #server: ServedModfront;

  private constructor(server: ServedModfront) {
    this.#server = server;
  }

  static async open(url: string, terminal: Terminal): Promise<ServedTokens> {
    return new ServedTokens(await ServedModfront.open(url, terminal));
  }

  async create(body: object): Promise<ServedToken & { readonly token: string }> {
    return (await this.#server.ask("POST", "/-/api/tokens", body)) as ServedToken & { readonly token: string };
  }

  async *list(): AsyncIterable<ServedToken> {
    for await (const item of listed(this.#server, "/-/api/tokens?")) yield item as ServedToken;
  }

  /** Returns the id of the key that signs now. */
  async rotateKey(dropOld: boolean): Promise<string> {
    const { key } = (await this.#server.ask("POST", "/-/api/token-keys", { dropOld })) as { readonly key: string };
    return key;
  }

  async revoke(id: string): Promise<void> {
    await this.#server.ask("DELETE", `/-/api/tokens/${encodeURIComponent(id)}`);
  }
}

/** Every item of a list, page by page; `address` ends where a parameter may follow. */
export async function* listed(server: ServedModfront, address: string): AsyncIterable<unknown> {
  let after = "";
  do {
    const page = (await server.ask("GET", `${address}limit=1000${after}`)) as ListPage;
    yield* page.items;
    after = page.next === undefined ? "" : `&after=${encodeURIComponent(page.next)}`;
  } while (after !== "");
}

interface ListPage {
  readonly items: readonly unknown[];
  readonly next?: string;
}
