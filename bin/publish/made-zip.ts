import type { ModuleVersion } from "../../lambda/golang/module.ts";

/** A module's zip on disk. */
export interface MadeZip {
  readonly module: ModuleVersion;
  readonly file: string;
  /** The go.mod as it is stored, where that may be another than the one in the zip. */
  readonly goMod?: Uint8Array;
}
