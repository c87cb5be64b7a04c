import { readers } from "../edge/permit.ts";
import { readMethods } from "../edge/routes.ts";
import { isCodedError } from "../golang/coded-error.ts";
import { checkPath } from "../golang/module.ts";
import { lineAnswer } from "../http/problem.ts";
import type { Route } from "../http/route.ts";
import type { PolicyGate } from "../proxy/policy/policy-gate.ts";
import { isVersionOf } from "../proxy/store/module-version.ts";
import { jsonAnswer } from "./administration.ts";

/** Why a version may come in or not, over HTTP: for whoever may read the module. */
export function explainRoutes(gate: Pick<PolicyGate, "explain">): readonly Route[] {
  return [
    {
      name: "explain",
      address: "/-/api/explain/<module>[@<version>]",
      methods: readMethods,
      access: readers,
      output: { contentType: "application/json", about: "What the policy and operators say of a module or a version." },
      handler: async ({ parameters }) => {
        const { module = "", version } = parameters ?? {};
        const isNamed = version === undefined ? isPath(module) : isVersionOf(module, version);
        if (!isNamed) return lineAnswer(400, "this takes a module path and a canonical version of it");
        return jsonAnswer(await gate.explain(module, version));
      },
    },
  ];
}

function isPath(module: string): boolean {
  try {
    checkPath(module);
    return true;
  } catch (error) {
    if (isCodedError(error)) return false;
    throw error;
  }
}
