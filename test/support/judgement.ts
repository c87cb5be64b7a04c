import type { AccessSettings } from "../../lambda/edge/access-settings.ts";
import { decide, type EdgeContext, type EdgeForward, type EdgeRequest } from "../../lambda/edge/decide.ts";
import { frame } from "../../lambda/http/frame.ts";
import { gosumdbRoutes } from "../../lambda/http/gosumdb.ts";
import { metricsRoutes } from "../../lambda/http/metrics.ts";
import { nameRoutes, plainText, probeRoutes } from "../../lambda/http/probes.ts";
import type { Route } from "../../lambda/http/route.ts";
import { siteHandler } from "../../lambda/http/site.ts";

/** The rows under `/-/`, and of `/`, as every plane has them. */
export const siteRows: readonly Route[] = [
  ...probeRoutes({ check: async () => {} }),
  ...metricsRoutes({ contentType: plainText, format: () => "" }),
  ...gosumdbRoutes("sum.example.com"),
  ...nameRoutes,
];

/** A request that ended without what it asked for. */
export interface Refusal {
  readonly kind: "refusal";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What becomes of a request: the edge's decision and, where that is of a row of the site, the one behind it. */
export async function judge(
  request: EdgeRequest,
  context: EdgeContext,
  /** What a function behind the edge answers, and what it knows; the rows of every plane by what the edge has in one value. */
  behind: { readonly rows?: readonly Route[]; readonly known?: AccessSettings } = {},
): Promise<EdgeForward | Refusal> {
  const decision = decide(request, context);
  if (decision.kind === "answer") return { ...decision, kind: "refusal" };
  if (decision.routed.route !== "site") return decision;
  const { rows = siteRows, known } = behind;
  const access = known ?? context.keyValues.access() ?? { anonymous: "none", private: "" };
  const { method } = request;
  const { routed, identity } = decision;
  const { status, headers, body } = frame(await siteHandler(rows, access)({ method, routed, identity, headers: {} }));
  if (status === 200) return decision;
  return { kind: "refusal", status, headers, body: Buffer.from(body as Uint8Array).toString() };
}
