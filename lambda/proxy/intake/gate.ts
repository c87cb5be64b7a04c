import type { ModuleVersion } from "../store/layout.ts";

/** What the policy says of a version before anything of it is stored. */
export interface Gate {
  /** Throws `ServedError` "policy-refused" for a version that may not come in. */
  check(module: ModuleVersion): Promise<void>;
}
