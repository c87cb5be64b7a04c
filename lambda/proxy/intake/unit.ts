import type { ZipFacts } from "./zip-inspector.ts";

/** A zip in a file of this machine that keeps the rules of zips. */
export interface ReceivedZip {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly facts: ZipFacts;
}

/** Whether a file of a unit lies under its protocol key already: such a one came in before, and stays. */
export interface Kept {
  readonly kept: boolean;
}

/** A private version: its three files, obtained together. */
export interface Unit {
  readonly info: Kept & { readonly bytes: Uint8Array };
  readonly mod: Kept & { readonly bytes: Uint8Array };
  readonly zip: Kept & ReceivedZip;
}
