import type { ModuleVersion } from "../store/layout.ts";

/** What the worker found in a module zip that keeps the zip rules. */
export interface ZipFacts {
  /** The directory hash, `"h1:…"`. */
  readonly hash: string;
  /** The bytes of the go.mod in the module's root, where there is one. */
  readonly goMod: Uint8Array | undefined;
}

/** Reads a whole zip without keeping the event loop from other requests. */
export interface ZipInspector {
  /** Says that a zip will come, so that getting ready for it and its download take their time side by side. */
  prepare(): void;

  /** Throws `ServedError` "invalid-module" when the file at `path` is not a zip of `module` by the rules of x/mod. */
  inspect(module: ModuleVersion, path: string): Promise<ZipFacts>;
}
