import { matchPrefixPatterns } from "../../golang/module.ts";

/** Hosts on which `Corp/x` and `corp/x` are one repository: in other letters a private name is the same secret. */
const caselessHosts: ReadonlySet<string> = new Set([
  ...["github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "gitea.com", "gitee.com", "dev.azure.com"],
]);

/** Tells the modules that no public upstream may hear of, by patterns in GOPRIVATE syntax without commas. */
export class PrivateModules {
  readonly #patterns: string;

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.join(",");
  }

  has(modulePath: string): boolean {
    return matchPrefixPatterns(this.#patterns, modulePath) || this.hasInOtherCase(modulePath);
  }

  /** True when the host would serve a private module for this path, though no pattern matches it letter by letter. */
  hasInOtherCase(modulePath: string): boolean {
    if (!caselessHosts.has(modulePath.split("/", 1)[0] ?? "")) return false;
    if (matchPrefixPatterns(this.#patterns, modulePath)) return false;
    return matchPrefixPatterns(this.#patterns.toLowerCase(), modulePath.toLowerCase());
  }
}
