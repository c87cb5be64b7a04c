/** What a developer's shell must know of a modfront. */
export interface PasteContent {
  /** Where `go` reaches it: `"https://goproxy.corp.example"`. */
  readonly address: string;
  readonly privatePatterns: readonly string[];
  /** What GOSUMDB must be when Go's own default does not do. */
  readonly gosumdb: string | undefined;
  /** The line of this modfront's own checksum database, which has private modules too. */
  readonly ownLog?: string | undefined;
}

/** Returns the lines to paste into a shell: `["export GOPROXY=https://goproxy.corp.example"]`. */
export function pasteLines({ address, privatePatterns, gosumdb, ownLog }: PasteContent): readonly string[] {
  // An address is a URL of host and port: nothing in it means anything to a shell.
  const lines = [`export GOPROXY=${address}`];
  if (ownLog !== undefined && (privatePatterns.length > 0 || gosumdb !== undefined))
    return [...lines, `export GOSUMDB=${shellWord(ownLog)}`];
  if (privatePatterns.length > 0) lines.push(`export GONOSUMDB=${shellWord(privatePatterns.join(","))}`);
  if (gosumdb !== undefined) lines.push(`export GOSUMDB=${shellWord(gosumdb)}`);
  return lines;
}

/** What developers set GOSUMDB to: nothing for the database that `go` knows, or for none, which says nothing to `go`. */
export function ownSumdb(name: string): string | undefined {
  return name.includes("+") ? name : undefined;
}

/**
 * Returns the line for ~/.netrc, or undefined for an address over plain http, where `go` sends no credentials.
 *
 * `go` looks machines up with their port, where the address has one.
 */
export function netrcLine(address: string): string | undefined {
  const url = new URL(address);
  return url.protocol === "https:" ? `machine ${url.host} login modfront password TOKEN` : undefined;
}

/** A word as a POSIX shell reads it back, quoted where it must be. */
export function shellWord(word: string): string {
  return /^[\w.,:/@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
