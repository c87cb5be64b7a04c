import * as crypto from "node:crypto";
import { createContext, runInContext } from "node:vm";
import type { ViewerRequest, ViewerResponse } from "../../lambda/edge/cloudfront.ts";

export interface Viewer {
  readonly uri: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, { value: string; multiValue?: { value: string }[] }>>;
  readonly querystring?: Readonly<Record<string, { value: string }>>;
}

export interface EdgeRun {
  /** Reads a key value; rejects where there is none. */
  readonly get: (name: string) => Promise<string>;
  /** `cf.logCustomData`; absent: a runtime that has none. */
  readonly note?: ((line: string) => void) | undefined;
}

/** The id of every request. */
export const requestId = "EXAMPLEntjQpEXAMPLE_SG5Z-EXAMPLEPmPfEXAMPLEu3EqEXAMPLE==";

/** Runs the code of a viewer-request function as CloudFront does: anew for every request, with its two modules and nothing of Node. */
export async function runEdge(
  code: string,
  viewer: Viewer,
  { get, note }: EdgeRun,
): Promise<ViewerRequest & ViewerResponse> {
  const script = code.replace(/^import (\w+) from "(\w+)";$/gm, 'const $1 = modules["$2"];');
  const cloudfront = { kvs: () => ({ get }), ...(note && { logCustomData: note }) };
  const context = createContext({ modules: { cloudfront, crypto } });
  runInContext(script, context);
  const request = { method: "GET", querystring: {}, ...viewer, headers: { ...viewer.headers } };
  const event = { version: "1.0", context: { requestId, eventType: "viewer-request" }, request };
  return structuredClone(await runInContext("handler", context)(event));
}
