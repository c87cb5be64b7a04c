import { mayManageModule } from "../access/tenant-admin.ts";
import type { Tenants } from "../access/tenants.ts";
import { actorOf, jsonAnswer, refuseManaging } from "../admin/administration.ts";
import type { Access } from "../edge/permit.ts";
import { isCodedError } from "../golang/coded-error.ts";
import type { AdmittedRequest } from "../http/handler.ts";
import { lineAnswer } from "../http/problem.ts";
import type { HttpResult } from "../http/result.ts";
import type { Route } from "../http/route.ts";
import { type YankBody, yankBody } from "./bodies.ts";
import type { Publications } from "./publications.ts";

export interface YankRoutesParts {
  readonly publications: Publications;
  readonly isPrivate: (module: string) => boolean;
  readonly tenants: Tenants;
}

/** Whose patterns cover the module; of viewers only who manages the tenant whose it is. */
const coveredHolders: Access = {
  ...{ anonymous: "no", viewer: "covered", publisher: "covered", operator: "covered", admin: "covered" },
};

const address = "/-/api/yanks/<module>@<version>";

/** Hiding versions from list and latest over HTTP, and showing them again: who asks for one by its number still gets it. */
export function yankRoutes(parts: YankRoutesParts): readonly Route[] {
  const row = { address, access: coveredHolders } as const;
  const contentType = "application/json";
  return [
    {
      ...{ ...row, name: "yank", methods: ["PUT"], input: yankBody },
      output: { contentType, about: "The version that list and latest do not name any more." },
      handler: (request) => change(parts, request, { on: true, reason: (request.input as YankBody).reason }),
    },
    {
      ...{ ...row, name: "unyank", methods: ["DELETE"] },
      output: { contentType, about: "The version that list and latest name again." },
      handler: (request) => change(parts, request, { on: false, reason: "" }),
    },
  ];
}

async function change(
  { publications, isPrivate, tenants }: YankRoutesParts,
  request: AdmittedRequest,
  what: { readonly on: boolean; readonly reason: string },
): Promise<HttpResult> {
  const { identity, parameters } = request;
  const { module: path = "", version = "" } = parameters ?? {};
  if (identity.role === "viewer" && !mayManageModule(identity, path, tenants)) return refuseManaging(request);
  if (!isPrivate(path)) return lineAnswer(422, `${path} is not private: what others publish is blocked, not yanked`);
  try {
    await publications.yank({ ...actorOf(request, tenants), rule: identity.role }, { path, version }, what);
    return jsonAnswer({ path, version, yanked: what.on });
  } catch (error) {
    if (isCodedError<string>(error, "no-such-version")) return lineAnswer(404, (error as Error).message);
    throw error;
  }
}
