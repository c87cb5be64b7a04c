import { Absence } from "./absence.ts";

const names: Readonly<Record<string, string>> = {
  bzr: "Bazaar",
  fossil: "Fossil",
  hg: "Mercurial",
  svn: "Subversion",
};

/** What is said of a module that is not in git. */
export function otherSystem(path: string, system: string): Absence {
  const name = Object.hasOwn(names, system) ? names[system] : undefined;
  if (name === undefined) return new Absence(`unknown version control system "${system.slice(0, 40)}" for ${path}`);
  const instead = "name a module proxy that has it in upstreams, or publish its versions here";
  return new Absence(`${path} is kept in ${name}, and direct reads git only: ${instead}`);
}
