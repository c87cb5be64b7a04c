import type { AccessSettings } from "./access-settings.ts";
import { coversModule } from "./patterns.ts";
import type { Access } from "./routes.ts";
import type { Identity } from "./token.ts";

/** Why someone may not: no token, a role without that right, a private module no pattern covers. */
export type Denial = "no-token" | "role" | "module";

/**
 * Returns why an identity may not use a route for a module, or undefined when it may.
 *
 * The only place that decides it: the edge asks before the cache, the Lambdas ask again.
 */
export function denial(
  access: Access,
  settings: AccessSettings,
  identity: Identity,
  module: string | undefined,
): Denial | undefined {
  const isPrivate = module !== undefined && coversModule(settings.private, module);
  if (isOpen(access, settings, isPrivate)) return undefined;
  if (identity.role === "anonymous") return "no-token";
  const rule = access[identity.role];
  if (rule === "no") return "role";
  const covered = rule === "yes" || !isPrivate || coversModule(identity.modules, module);
  return covered ? undefined : "module";
}

/** True when nobody needs a token. */
function isOpen(access: Access, settings: AccessSettings, isPrivate: boolean): boolean {
  const rule = access.anonymous;
  if (rule === "yes") return true;
  if (settings.anonymous === "all") return rule !== "no";
  return settings.anonymous === "public" && rule === "public" && !isPrivate;
}
