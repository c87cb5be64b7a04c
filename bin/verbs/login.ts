import { formatCredential } from "../../lambda/access/credential.ts";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import { printable } from "../../lambda/golang/shown-text.ts";
import { ownLogins } from "./logins.ts";
import { parseVerbArgs, type Terminal, type Verb } from "./verb.ts";

/** `modfront login URL`: keeps the token read from stdin, never from the command line, which others can see. */
export const login: Verb = {
  usage: "URL",
  summary: "keeps the token that is typed or piped in, for GOAUTH='modfront credential'",
  run: async (args, terminal) => {
    const [url = ""] = parseVerbArgs(args, {}, { least: 1, most: 1 }).positionals;
    const server = url.replace(/\/+$/, "");
    checkServer(server);
    const token = (await terminal.readSecret(`token for ${server}: `)).trim();
    if (!/^mf_[\w-]+\.[\w-]{43}$/.test(token)) throw new CodedError("usage", "this is not a modfront token");
    if (!(await isTaken(server, token, terminal))) return 1;
    await ownLogins(terminal).store(server, token);
    terminal.note(`the token for ${server} is kept: go uses it with go env -w GOAUTH='modfront credential'`);
    return 0;
  },
};

function checkServer(server: string): void {
  try {
    formatCredential([server], "");
  } catch (cause) {
    throw new CodedError("usage", (cause as Error).message, { cause });
  }
}

/** Asks the server about the token, which fetch sends to no other one; unreachable, it is kept unchecked. */
async function isTaken(server: string, token: string, { note }: Terminal): Promise<boolean> {
  const headers = { authorization: `Bearer ${token}` };
  try {
    const answer = await fetch(`${server}/-/gosumdb`, { headers, signal: AbortSignal.timeout(10_000) });
    if (answer.status !== 401) return true;
    note(`${server} refuses it: ${printable((await answer.text()).split("\n", 1)[0] ?? "", 200)}`);
    return false;
  } catch {
    note(`${server} cannot be reached, so that the token was not checked`);
    return true;
  }
}
