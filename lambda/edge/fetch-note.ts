import type { AccessSettings, KeyValues } from "./access-settings.ts";
import { type FetchDecision, type Fetches, fetchLine } from "./fetch-line.ts";
import { hides } from "./permit.ts";
import type { RoutedPath } from "./routed-path.ts";
import type { Identity } from "./token.ts";

/** Told of what was decided about somebody. */
export type Fetched = (routed: RoutedPath, identity: Identity, decision: FetchDecision, keyValues: KeyValues) => void;

/** Writes the line of each fetch that is written down: of private modules, or of all. */
export function fetchNotes(fetches: Exclude<Fetches, "none">, write: (line: string) => void): Fetched {
  const isNoted = fetches === "all" ? isFetch : isPrivate;
  return (routed, identity, decision, keyValues) => {
    if (isNoted(routed, keyValues)) write(fetchLine(identity, decision));
  };
}

function isFetch(routed: RoutedPath): boolean {
  return routed.route !== "site";
}

/** Where everybody may read everything nobody has looked yet. */
function isPrivate(routed: RoutedPath, keyValues: KeyValues): boolean | undefined {
  const hidden = routed.hidden;
  if (hidden !== undefined || routed.module === undefined) return hidden;
  return hides(keyValues.access() as AccessSettings, routed.module, keyValues.text);
}
