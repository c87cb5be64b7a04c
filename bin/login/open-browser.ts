import { spawn } from "node:child_process";
import type { Machine } from "./config-folder.ts";

/** Returns the program that shows an address to a person, and its arguments; none of them is read by a shell. */
export function browserCommand({ platform, environment }: Machine, url: string): readonly [string, ...string[]] {
  const [own, ...words] = (environment.BROWSER ?? "").split(" ").filter(Boolean);
  // With %s where the address belongs, or without.
  if (own !== undefined)
    return words.includes("%s") ? [own, ...words.with(words.indexOf("%s"), url)] : [own, ...words, url];
  if (platform === "darwin") return ["open", url];
  if (platform === "win32") return ["rundll32", "url.dll,FileProtocolHandler", url];
  return ["xdg-open", url];
}

/** Opens an address in a browser that outlives this process. False where there is none to open. */
export async function openBrowser(machine: Machine, url: string): Promise<boolean> {
  const [program, ...args] = browserCommand(machine, url);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  try {
    const child = spawn(program, args, { stdio: "ignore", detached: true });
    child.once("spawn", () => resolve(true)).once("error", () => resolve(false));
    child.unref();
  } catch {
    // So some errors are told: a path through a file, a name that is too long.
    return false;
  }
  return await promise;
}
