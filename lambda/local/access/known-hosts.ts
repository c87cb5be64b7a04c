import { isLoopback } from "./local-access.ts";

/**
 * Tells the names of this server from those of others in `Host` headers: loopback, what it listens on, and
 * `access.hosts`.
 *
 * A page of the web can have its own name resolve to 127.0.0.1 and then read what is served there (DNS rebinding); its
 * browser still names the page's host. A request without `Host` comes from no browser.
 */
export class KnownHosts {
  readonly #names: ReadonlySet<string>;
  /** The header that was known last: nearly all requests have the same one. */
  #last: string | undefined;

  constructor(names: readonly string[]) {
    this.#names = new Set(names.map((name) => name.toLowerCase()));
  }

  has(header: string | undefined): boolean {
    if (header === this.#last || header === undefined) return true;
    if (!this.#isKnown(header)) return false;
    this.#last = header;
    return true;
  }

  #isKnown(header: string): boolean {
    // URL would take user, path and query too.
    if (!/^[-.\w:[\]]+$/.test(header) || !URL.canParse(`http://${header}`)) return false;
    const name = new URL(`http://${header}`).hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
    return isLoopback(name) || name.endsWith(".localhost") || this.#names.has(name);
  }
}
