import { formatCredential } from "../../lambda/access/credential.ts";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import { configFolder } from "../login/config-folder.ts";
import { isDue, isValid, type Login } from "../login/login.ts";
import { readLogins } from "../login/login-file.ts";
import type { Terminal, Verb } from "./verb.ts";

// The go command waits for this one, and runs it anew after each 4xx: what is not needed to print a token from the file
// is loaded by the few runs that renew one (test/bin/login/credential.test.ts counts).

/**
 * `modfront credential`: what `go help goauth` expects of a command.
 *
 * `go` runs it once without a word, and again with the URL, and the answer on stdin, after each 4xx.
 */
export const credential: Verb = {
  usage: "[URL]",
  summary: "prints the tokens of modfront login as the go command reads them: GOAUTH='modfront credential'",
  run: async (args, terminal) => {
    const [asked, ...more] = args;
    if (more.length > 0) throw new CodedError("usage", "wrong number of words: see modfront help");
    const logins = readLogins(`${configFolder(terminal)}/logins.json`);
    if (logins.size === 0) terminal.note("no token is kept here: see modfront login");
    const isRefused = asked !== undefined && /^HTTP\/[\d.]+ 401\b/.test(await terminal.readLine());
    for (const [server, login] of logins) {
      if (formatCredential([server], "", asked) === "" || !isUsed(server, asked, terminal)) continue;
      terminal.write(await printed(server, login, isRefused, terminal));
    }
    return 0;
  },
};

/** Of the servers in the file `go` needs those of its GOPROXY, which it hands on: no other is asked for a new token. */
function isUsed(server: string, asked: string | undefined, { environment: { GOPROXY = "" } }: Terminal): boolean {
  return asked !== undefined || GOPROXY === "" || GOPROXY.includes(server);
}

async function printed(server: string, login: Login, isRefused: boolean, terminal: Terminal): Promise<string> {
  const current = isDue(login, terminal.now(), isRefused) ? await renewed(server, login, isRefused, terminal) : login;
  if (isValid(current, terminal.now())) return formatCredential([server], current.token);
  terminal.note(`${server}: the token has ended: modfront login ${server}`);
  return "";
}

/** A token that is good for a while is better than none, whatever went wrong with the next one. */
async function renewed(server: string, login: Login, isRefused: boolean, terminal: Terminal): Promise<Login> {
  const { renewedLogin } = await import("../login/renewed-login.ts");
  try {
    return (await renewedLogin(server, { login, isRefused }, terminal)) ?? login;
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    terminal.note(`${server}: the token cannot be renewed: ${error.message}`);
    return login;
  }
}
