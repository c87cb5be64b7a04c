import type { Identity } from "../edge/token.ts";
import { nextTurn } from "../proxy/store/in-turns.ts";
import { mayManageToken } from "./tenant-admin.ts";
import type { Tenants } from "./tenants.ts";
import type { TokenPage, TokenRecord, TokenStore } from "./token-store.ts";
import { listTokens } from "./tokens.ts";

/** Records that are read at once, most of which may be others'. */
const readAtOnce = 1000;

/**
 * Returns a page of the tokens that somebody manages, revoked ones included: an admin all, a tenant's admin its own.
 *
 * Where the next page begins is the id of a token that the asker may see: another's would say that it is there, and since
 * when. So all that lies between two of their own is read here, in turns with everybody else.
 */
export async function listManagedTokens(
  store: TokenStore,
  identity: Identity,
  tenants: Tenants,
  now: number,
  { limit, after }: { readonly limit: number; readonly after?: string | undefined },
): Promise<TokenPage> {
  if (identity.role === "admin") return await listTokens(store, now, { limit, after });
  const own: TokenRecord[] = [];
  let place = after;
  do {
    const page = await listTokens(store, now, { limit: readAtOnce, after: place });
    own.push(...page.items.filter((record) => mayManageToken(identity, record, tenants)));
    place = page.next;
    await nextTurn();
  } while (place !== undefined && own.length <= limit);
  const items = own.slice(0, limit);
  return own.length > limit ? { items, next: items.at(-1)?.id } : { items };
}
