import type { AuditLog } from "../access/audit/audit-log.ts";
import type { Actor } from "../access/audit/audited-changes.ts";
import type { AuditedTokens } from "../access/audited-tokens.ts";
import { managedTenants } from "../access/tenant-admin.ts";
import type { Tenants } from "../access/tenants.ts";
import type { TokenStore } from "../access/token-store.ts";
import { tenantOfPatterns } from "../edge/fetch-line.ts";
import type { Access } from "../edge/permit.ts";
import { refuseRole } from "../edge/refusals.ts";
import { CodedError } from "../golang/coded-error.ts";
import type { AdmittedRequest } from "../http/handler.ts";
import { lineAnswer } from "../http/problem.ts";
import type { HttpAnswer, HttpResult } from "../http/result.ts";
import { toHttpAnswer } from "../http/site.ts";

/** What the administration changes and reads. */
export interface Administration {
  readonly store: TokenStore;
  readonly tokens: AuditedTokens;
  readonly audit: AuditLog;
  readonly tenants: Tenants;
  /** Finds out what became of changes whose process died, where nobody does beside the requests. */
  readonly settle?: () => Promise<void>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Whoever has a token may ask, and on loopback too nobody else: what they manage the handlers find. */
export const holders: Access = { anonymous: "no", viewer: "yes", publisher: "yes", operator: "yes", admin: "yes" };

/** What is of the whole organisation. */
export const admins: Access = { anonymous: "no", viewer: "no", publisher: "no", operator: "no", admin: "yes" };

/** Returns who changes something by a request, as the audit log names them. */
export function actorOf({ identity, origin }: AdmittedRequest, tenants: Tenants): Actor {
  const isAdmin = identity.role === "admin";
  const [managed = ""] = isAdmin ? [] : managedTenants(identity, tenants);
  return {
    request: origin?.request ?? "",
    subject: identity.subject,
    token: identity.id,
    tenant: managed || tenantOfPatterns(identity.modules),
    address: origin?.address ?? "",
    rule: isAdmin ? "admin" : "tenant-admin",
  };
}

/** The answer to who manages nothing, or not this. */
export function refuseManaging({ identity }: AdmittedRequest): HttpAnswer {
  return toHttpAnswer(refuseRole("role", identity));
}

/** JSON that no cache may keep. */
export function jsonAnswer(value: unknown, status = 200): HttpAnswer {
  return {
    kind: "answer",
    status,
    headers: {
      "content-type": "application/json",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    },
    body: new TextEncoder().encode(`${JSON.stringify(value)}\n`),
  };
}

/** What the errors of administration mean to who asked. */
const statuses: Readonly<Record<string, number>> = {
  "bad-token-request": 400,
  "bad-page": 400,
  "no-such-token": 404,
  "token-exists": 409,
  "revocations-full": 409,
  "bad-ruling": 400,
  "no-such-ruling": 404,
  "blocks-full": 409,
  "bad-credential": 400,
  "no-such-credential": 404,
  "credentials-full": 409,
  "no-such-channel": 404,
};

/** Answers what `work` throws that is the asker's to know. */
export async function orLine(work: () => Promise<HttpResult>): Promise<HttpResult> {
  try {
    return await work();
  } catch (error) {
    const status = error instanceof CodedError ? statuses[error.code] : undefined;
    if (status === undefined) throw error;
    return lineAnswer(status, (error as CodedError).message);
  }
}

/** Reads `limit` and `after` of a list, at most 1,000 of it: `{ limit: 100 }` where nothing is said. */
export function pageOf(query: URLSearchParams): { readonly limit: number; readonly after: string | undefined } {
  const text = query.get("limit") ?? "100";
  const limit = Number(text);
  if (!/^\d{1,4}$/.test(text) || limit < 1 || limit > 1000) throw new CodedError("bad-page", "limit: 1 to 1000");
  const after = query.get("after") ?? undefined;
  if (after !== undefined && !/^[\x21-\x7e]{1,2000}$/.test(after))
    throw new CodedError("bad-page", "after: no such page");
  return { limit, after };
}
