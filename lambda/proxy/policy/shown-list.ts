import type { VersionList } from "../sources/version-list.ts";
import { eachInTurns } from "../store/in-turns.ts";
import type { IsShown } from "./policy-gate.ts";

/** What of a list may be named, in turns with everybody else; the highest that may not is kept as `hidden`. */
export async function shownList(list: VersionList, isShown: IsShown | undefined): Promise<VersionList> {
  if (isShown === undefined) return list;
  const tagged: string[] = [];
  let { hidden } = list;
  await eachInTurns(list.tagged, (version) => {
    if (isShown(version)) tagged.push(version);
    else hidden = version;
  });
  const isPseudoShown = list.newestPseudo === undefined || isShown(list.newestPseudo);
  if (!isPseudoShown) hidden ??= list.newestPseudo;
  const newestPseudo = isPseudoShown ? list.newestPseudo : undefined;
  return { tagged, newestPseudo, ...(hidden !== undefined && { hidden }) };
}
