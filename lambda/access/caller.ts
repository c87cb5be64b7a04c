import type { AccessSettings } from "../edge/access-settings.ts";
import { verifyIdentity } from "../edge/identity.ts";
import { knownTo, readDenial } from "../edge/permit.ts";
import type { RouteName } from "../edge/routes.ts";
import type { Identity } from "../edge/token.ts";
import { ServedError } from "../proxy/store/served-error.ts";
import { hmac } from "./hmac.ts";

/** What a Lambda needs to judge who calls it. */
export interface CallerGate {
  /** The keys of the edge's identity header, the newest first: two while they rotate. */
  readonly identityKeys: readonly string[];
  readonly access: AccessSettings;
  /** Unix seconds. */
  readonly now: () => number;
}

/**
 * Returns who asks, by the identity header that the edge signed, and decides again whether they may.
 *
 * Throws `ServedError` "forbidden" when the request did not come through the edge within the last minute, or when the
 * edge should not have let it through. The header's content appears in no message.
 */
export function checkCaller(
  header: string | undefined,
  route: RouteName,
  module: string | undefined,
  gate: CallerGate,
): Identity {
  const identity = verifyIdentity(header, gate.identityKeys, gate.now(), hmac);
  if (identity === undefined) throw new ServedError("forbidden", "this address answers only through the edge");
  checkIdentity(identity, route, module, gate.access);
  return identity;
}

/** Decides again whether they may; throws `ServedError` "forbidden" when not. What is of the site its rows decide. */
export function checkIdentity(
  identity: Identity,
  route: RouteName,
  module: string | undefined,
  access: AccessSettings,
): void {
  if (route === "site" || readDenial(access, identity, module, knownTo(access)) === undefined) return;
  throw new ServedError("forbidden", "whoever asks may not see this");
}
