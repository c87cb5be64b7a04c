import { homedir } from "node:os";
import { posix, win32 } from "node:path";

/** Whose machine it is, as far as it decides where their files are. */
export interface Machine {
  readonly platform: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Returns the folder in which modfront keeps what is one person's, where Go's os.UserConfigDir looks for it too.
 *
 * Linux `~/.config/modfront` or below XDG_CONFIG_HOME, macOS `~/Library/Application Support/modfront`, Windows
 * `%AppData%\modfront`.
 */
export function configFolder({ platform, environment }: Machine): string {
  const { XDG_CONFIG_HOME = "", APPDATA, HOME, USERPROFILE } = environment;
  if (platform === "win32") {
    const roaming = APPDATA || win32.join(USERPROFILE || homedir(), "AppData", "Roaming");
    return win32.join(roaming, "modfront");
  }
  const home = HOME || homedir();
  if (platform === "darwin") return posix.join(home, "Library", "Application Support", "modfront");
  // A relative one is to be ignored, says the XDG Base Directory Specification.
  const config = posix.isAbsolute(XDG_CONFIG_HOME) ? XDG_CONFIG_HOME : posix.join(home, ".config");
  return posix.join(config, "modfront");
}
