import { configFolder } from "../login/config-folder.ts";
import { isDue } from "../login/login.ts";
import { readLogins } from "../login/login-file.ts";
import { renewedLogin } from "../login/renewed-login.ts";
import type { Terminal } from "./verb.ts";

/** The token with which a verb goes to a server: that of MODFRONT_TOKEN, else that of `login`. */
export async function ownToken(server: string, terminal: Terminal): Promise<string | undefined> {
  return terminal.environment.MODFRONT_TOKEN || (await keptToken(server, terminal));
}

/** The token that `login` keeps for a server, renewed where it is time. */
export async function keptToken(server: string, terminal: Terminal): Promise<string | undefined> {
  const login = readLogins(`${configFolder(terminal)}/logins.json`).get(server);
  if (login === undefined || !isDue(login, terminal.now(), false)) return login?.token;
  return (await renewedLogin(server, { login, isRefused: false }, terminal))?.token;
}
