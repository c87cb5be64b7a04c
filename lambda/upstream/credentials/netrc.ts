import { type Authorization, basicAuthorization, type Credentials } from "./credentials.ts";

/** Characters of a file, which is read as a whole. */
export const netrcLimit = 1 << 20;

interface Draft {
  machine: string;
  login: string;
  password: string;
}

/**
 * The machines of a netrc file with their credentials, read as the go command does (cmd/go/internal/auth/netrc.go): names and
 * values in pairs, line by line; of a machine that is named twice the first counts; macros are passed over, and what
 * `default` says is for nobody.
 */
export function parseNetrc(text: string): ReadonlyMap<string, Authorization> {
  const machines = new Map<string, Authorization>();
  let draft: Draft = { machine: "", login: "", password: "" };
  let inMacro = false;
  for (const line of text.slice(0, netrcLimit).split("\n")) {
    if (inMacro) {
      inMacro = line.trim() !== "";
      continue;
    }
    const words = line.split(/[ \t\r\v\f]+/).filter((word) => word !== "");
    for (let i = 0; i < words.length; i += 2) {
      const [name = "", value = ""] = words.slice(i, i + 2);
      if (name === "default") return machines;
      if (name === "machine") draft = { machine: value.toLowerCase(), login: "", password: "" };
      if (name === "login") draft.login = value;
      if (name === "password") draft.password = value;
      if (name === "macdef") inMacro = true;
      if (draft.machine === "" || draft.login === "" || draft.password === "") continue;
      if (!machines.has(draft.machine)) machines.set(draft.machine, basicAuthorization(draft.login, draft.password));
      draft = { machine: "", login: "", password: "" };
    }
  }
  return machines;
}

/** Where netrc files are looked for, as go does: `NETRC` alone, else in the home folder, `_netrc` first on Windows. */
export function netrcPaths(
  environment: Readonly<Record<string, string | undefined>>,
  platform: string,
): readonly string[] {
  if (environment.NETRC) return [environment.NETRC];
  const windows = platform === "win32";
  const home = windows ? environment.USERPROFILE : environment.HOME;
  if (!home) return [];
  return windows ? [`${home}\\_netrc`, `${home}\\.netrc`] : [`${home}/.netrc`];
}

/** Milliseconds for which a file that was read again is not looked at once more. */
const rest = 10_000;

/** The credentials of a netrc file, by a URL's host with its port where it is not the usual one. */
export class NetrcCredentials implements Credentials {
  readonly #read: () => Promise<string>;
  readonly #now: () => number;
  #machines: Promise<ReadonlyMap<string, Authorization>>;
  #readAt: number;

  /** `read` gives the text of the file and never fails; `now` is milliseconds on a clock that does not go back. */
  constructor(read: () => Promise<string>, now: () => number) {
    this.#read = read;
    this.#now = now;
    this.#machines = this.#parse();
    this.#readAt = now();
  }

  async authorize(url: URL): Promise<Authorization | undefined> {
    const known = (await this.#machines).get(url.host);
    return known && { ...known, renew: () => this.#renew(url.host, known.header) };
  }

  async #renew(host: string, refused: string): Promise<boolean> {
    if (this.#now() - this.#readAt >= rest) {
      this.#readAt = this.#now();
      this.#machines = this.#parse();
    }
    const header = (await this.#machines).get(host)?.header;
    return header !== undefined && header !== refused;
  }

  async #parse(): Promise<ReadonlyMap<string, Authorization>> {
    return parseNetrc(await this.#read());
  }
}
