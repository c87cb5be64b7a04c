import { spawnSync } from "node:child_process";

/** True when the program can be run. */
export function hasProgram(name: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${name}`]).status === 0;
}

/** Looks for a program and, where this machine's rights and package sources allow it, installs it with apt-get. */
export function ensureProgram(name: string, packageName = name): boolean {
  if (hasProgram(name)) return true;
  if (process.getuid?.() !== 0 || !hasProgram("apt-get")) return false;
  const options = { timeout: 180_000, env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
  const install = () => spawnSync("apt-get", ["install", "-y", "--no-install-recommends", packageName], options);
  if (install().status !== 0) {
    spawnSync("apt-get", ["update"], options);
    install();
  }
  return hasProgram(name);
}
