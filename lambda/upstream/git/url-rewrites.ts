import { UpstreamFailure } from "../../proxy/sources/upstream.ts";

/** Beginnings of URLs, each with what stands there instead; `from` ends with "/" or ":", `to` with "/". */
export interface UrlRewrite {
  readonly from: string;
  readonly to: string;
}

/**
 * Rewrites URLs as git does by `url.<to>.insteadOf`: of the rules that a URL begins with the one with the longest `from`, once.
 *
 * What is rewritten may have been learnt from input, so that it cannot leave what it is rewritten to.
 */
export class UrlRewrites {
  readonly #rules: readonly UrlRewrite[];

  constructor(rules: readonly UrlRewrite[]) {
    this.#rules = [...rules].sort((a, b) => b.from.length - a.from.length);
  }

  /**
   * The URL by which a repository, or the page about it, is reached: `"ssh://git@corp.example/x"` becomes
   * `"https://corp.example/x"`. Throws `UpstreamFailure` "refused-address".
   */
  rewrite(url: string): string {
    const { written, rule } = this.#find(url);
    if (rule === undefined) return written;
    const rewritten = rule.to + written.slice(rule.from.length);
    if (URL.canParse(rewritten) && new URL(rewritten).href.startsWith(new URL(rule.to).href)) return rewritten;
    throw new UpstreamFailure("refused-address", "leads to a repository outside of what git.rewrite names");
  }

  /** True for a URL that has a rule. */
  has(url: string): boolean {
    return this.#find(url).rule !== undefined;
  }

  /** True for a URL that a rule leads to from another host: there what is behind it has another name. */
  isAlias(url: URL): boolean {
    // Hosts take capitals in paths for small letters, many of them.
    const href = url.href.toLowerCase();
    return this.#rules.some(
      ({ from, to }) => href.startsWith(new URL(to).href.toLowerCase()) && hostOf(from) !== url.hostname,
    );
  }

  /** What is rewritten to this URL: the other names of what is there. */
  namesOf(url: URL): readonly string[] {
    const { href } = url;
    return this.#rules.flatMap(({ from, to }) => {
      const start = new URL(to).href;
      return href.toLowerCase().startsWith(start.toLowerCase()) ? [from + href.slice(start.length)] : [];
    });
  }

  #find(url: string): { readonly written: string; readonly rule: UrlRewrite | undefined } {
    const written = /^https?:/i.test(url) && URL.canParse(url) ? new URL(url).href : url;
    return { written, rule: this.#rules.find(({ from }) => written.startsWith(from)) };
  }
}

function hostOf(url: string): string | undefined {
  if (URL.canParse(url)) return new URL(url).hostname;
  // As ssh is spelled for short: "git@corp.example:".
  return /^[^/@]+@([^/:@]+):/.exec(url)?.[1]?.toLowerCase();
}
