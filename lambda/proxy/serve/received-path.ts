import { type RoutedPath, routePath } from "../../edge/routed-path.ts";
import { ServedError } from "../store/served-error.ts";

const codes = { 400: "bad-request", 404: "not-found" } as const;

/**
 * Returns a path, without percent forms, taken apart: for a function that was handed its text instead of the edge's
 * `RoutedPath`. Throws `ServedError` "bad-request" or "not-found" as the edge would have answered.
 */
export function parsePath(path: string): RoutedPath {
  const routed = routePath(path);
  if ("reason" in routed) throw new ServedError(codes[routed.status], routed.reason);
  return routed;
}
