import type { AccessSettings, KeyValues } from "./access-settings.ts";
import { type FetchDecision, fetchLine } from "./fetch-line.ts";
import { hides } from "./permit.ts";
import type { RoutedPath } from "./routed-path.ts";
import type { Identity } from "./token.ts";

/** Told of what was decided about somebody. */
export type Fetched = (routed: RoutedPath, identity: Identity, decision: FetchDecision, keyValues: KeyValues) => void;

/** Writes the line of each fetch. */
export function notesOfAll(write: (line: string) => void): Fetched {
  return (routed, identity, decision) => {
    if (routed.route !== "site") write(fetchLine(identity, decision));
  };
}

/** Writes the line of each fetch of a private module. */
export function notesOfPrivate(write: (line: string) => void): Fetched {
  return (routed, identity, decision, keyValues) => {
    if (isPrivate(routed, keyValues)) write(fetchLine(identity, decision));
  };
}

/** Where everybody may read everything nobody has looked yet. */
function isPrivate(routed: RoutedPath, keyValues: KeyValues): boolean | undefined {
  const hidden = routed.hidden;
  if (hidden !== undefined || routed.module === undefined) return hidden;
  return hides(keyValues.access() as AccessSettings, routed.module, keyValues.text);
}
