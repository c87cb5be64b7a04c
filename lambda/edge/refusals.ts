import type { Denial } from "./permit.ts";
import type { RoutedPath } from "./routed-path.ts";
import type { Identity, NoIdentity } from "./token.ts";

/** The complete answer, made without asking anything behind the edge. For HEAD the caller leaves out the body. */
export interface EdgeAnswer {
  readonly kind: "answer";
  readonly status: 200 | 308 | 400 | 401 | 403 | 404 | 405 | 503;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
  /** Whom it refuses, and what they asked for; absent where nothing was decided about somebody. */
  identity?: Identity;
  routed?: RoutedPath;
}

/** Returns the answer to a request that ends here. Whatever the reason, the next request may be judged otherwise. */
export function refuse(status: EdgeAnswer["status"], line: string, header?: string, value?: string): EdgeAnswer {
  const headers: Record<string, string> = {
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  };
  if (header) headers[header] = value as string;
  return { kind: "answer", status, headers, body: `${line}\n` };
}

/** The answer to who asks no more than whether there is one. */
export function alive(): EdgeAnswer {
  return refuse(200, "ok");
}

export const onlyRead = "this address is only read";

/** Nobody is let in who needs to be looked at while nothing can be looked up. */
export function refuseUndecided(): EdgeAnswer {
  return refuse(503, "modfront cannot check access at the moment");
}

const credentialLines: Readonly<Record<Exclude<NoIdentity, "unchecked">, string>> = {
  malformed: "these credentials are not a modfront token: it is the password, with any user name",
  unsigned: "this token is not valid here",
  expired: "this token has expired",
  revoked: "this token was revoked",
};

/**
 * Returns the answer to who may not: never a 404, which would send go to the next proxy. It names the token by its id, so
 * that whoever issued it knows which one to replace.
 */
export function refuseCaller(why: Exclude<Denial, "role">, identity: Identity): EdgeAnswer {
  if (why === "module")
    return refuse(
      403,
      `token ${identity.id} does not cover this private module: ask whoever issued it for one that does`,
    );
  const fault = identity.fault;
  if (why === "unchecked" || fault === "unchecked") return refuseUndecided();
  const line =
    fault === undefined
      ? "this needs a modfront token, as the password with any user name: see go help goauth"
      : credentialLines[fault];
  return refuse(401, line, "www-authenticate", 'Basic realm="modfront"');
}

/** The same for a row of the site, which may be for other roles. */
export function refuseRole(why: Denial, identity: Identity): EdgeAnswer {
  if (why !== "role") return refuseCaller(why, identity);
  return refuse(403, `token ${identity.id} has the role ${identity.role}, which may not do this`);
}
