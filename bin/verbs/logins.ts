import { homedir } from "node:os";
import { join } from "node:path";
import { LoginFile } from "../../lambda/local/access/login-file.ts";
import type { Terminal } from "./verb.ts";

/** The logins of whoever runs this, in their configuration folder. */
export function ownLogins({ environment }: Terminal): LoginFile {
  const { XDG_CONFIG_HOME, APPDATA, HOME } = environment;
  const folder = XDG_CONFIG_HOME || APPDATA || join(HOME || homedir(), ".config");
  return new LoginFile(join(folder, "modfront", "logins.json"));
}
