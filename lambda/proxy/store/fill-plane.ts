import type { FileKind, ModuleVersion } from "./layout.ts";

/** Asks for what the upstream says now, whatever is remembered, and fresh: somebody knows that it has changed. */
export interface Renewal {
  /** Milliseconds: what was asked for longer ago is not good. */
  readonly maxAge?: number;
}

/** Everything that the serve plane may ask of the fill plane; plain JSON, because on AWS it is an invocation's payload. */
export type FillRequest =
  /** Of a channel, by its name, where what is missing comes from its upstreams. */
  | { readonly kind: FileKind; readonly module: ModuleVersion; readonly channel?: string | undefined }
  | ({ readonly kind: "list" | "latest"; readonly path: string; readonly channel?: string | undefined } & Renewal)
  | ({
      readonly kind: "query";
      readonly path: string;
      readonly query: string;
      readonly channel?: string | undefined;
    } & Renewal)
  /** What was uploaded under this id is to become the version: the answer is a `Published` as JSON. */
  | {
      readonly kind: "publish";
      readonly module: ModuleVersion;
      readonly upload: string;
      readonly report: PublicationReport;
    }
  /** Hides a version from list and latest, or shows it again: the answer is a `Yanked` as JSON. */
  | { readonly kind: "yank"; readonly module: ModuleVersion; readonly on: boolean }
  /** Of a checksum database, by its name: `"sum.golang.org"`. */
  | { readonly kind: "lookup"; readonly database: string; readonly module: ModuleVersion }
  | { readonly kind: "tile"; readonly database: string; readonly path: string }
  | { readonly kind: "head"; readonly database: string };

/**
 * `body`: the answer itself; `freshUntil` (milliseconds since the epoch) where it is good for a while only, `stale` when
 * it is an old copy served because the upstream is down. `stored`: a file too large to hand over, now in the store; `links`
 * to where it can be read there by whoever has one, for a while.
 */
export type FillAnswer =
  | { readonly body: Uint8Array; readonly stale?: boolean; readonly freshUntil?: number }
  | { readonly stored: string; readonly size: number; readonly links?: FileLinks };

/** What whoever publishes says of the version. Nobody verifies it: it is theirs who may publish. */
export interface PublicationReport {
  /** The tag that the version was made of: `"v1.2.3"`, `"sub/v1.2.3"`. */
  readonly tag?: string | undefined;
  readonly commit?: string | undefined;
  /** How the API compares with that of a release before. */
  readonly api?: { readonly base: string; readonly verdict: "compatible" | "incompatible" | "unknown" } | undefined;
}

/** What became of a publication: nothing that was there before has changed. */
export interface Published {
  /** "conflict": the version is there with other bytes. */
  readonly outcome: "new" | "same" | "conflict";
  /** `"h1:…"` of what was uploaded, and of its go.mod. */
  readonly sum: string;
  readonly goModSum: string;
  /** Of what is there, where that is something else. */
  readonly stored?: { readonly sum: string; readonly goModSum: string };
}

/** Whether the version was there to be hidden or shown. */
export interface Yanked {
  readonly found: boolean;
}

/** Where a stored file is read, by the method with which it is: a signed link is good for one. */
export type FileLinks = Readonly<Record<"GET" | "HEAD", string>>;

/**
 * The only writer: fetches what is missing, verifies it, stores it, and answers with it.
 *
 * The same request from any number of callers leads to one fetch. Throws `ServedError`. What it returned is durable.
 */
export interface FillPlane {
  /**
   * `waitUntil`, in milliseconds since the epoch, is when the caller stops waiting: who only waits for the fetch of another
   * process stops with it ("fill-timeout"), a fetch of its own goes on for whoever asks next.
   */
  fill(request: FillRequest, waitUntil?: number): Promise<FillAnswer>;
}
