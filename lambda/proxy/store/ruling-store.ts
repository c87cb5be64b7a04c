import { CodedError } from "../../golang/coded-error.ts";

/**
 * What is ruled about a module: `block`: somebody refuses it; `exception`: somebody lets it pass what the policy refuses;
 * `verdict`: a sweep found that the policy refuses what is stored. Blocks and verdicts are what every plane refuses.
 */
export type RulingKind = "block" | "exception" | "verdict";

/** Names a ruling: there is one of each kind about a version, and one about a module. */
export interface RulingName {
  readonly kind: RulingKind;
  readonly module: string;
  /** A canonical version, or empty for all of the module's. */
  readonly version: string;
}

/** What somebody, or a sweep, ruled about a version or a whole module. */
export interface Ruling extends RulingName {
  /** One line for whoever is refused. */
  readonly reason: string;
  /** Milliseconds since the epoch from when on it no longer holds; absent: it holds until it is removed. */
  readonly until?: number | undefined;
  /** Whose it is: the subject of a token, or the rule of a verdict. */
  readonly by: string;
  /** Milliseconds since the epoch, and the id of the request that made it. */
  readonly at: number;
  readonly request: string;
}

/** That a ruling was made or removed, and by which request. */
export interface RulingChange extends Pick<Ruling, "at" | "request"> {
  readonly removed: boolean;
}

export interface RulingPage {
  readonly items: readonly Ruling[];
  /** The last of this page, after which the next one begins; absent on the last. */
  readonly next?: RulingName | undefined;
}

/** Called before a change, which does not happen when it rejects. */
export type RulingNote = () => Promise<void>;

/**
 * What is ruled about modules: the truth, of which what the edge acts by is a copy.
 *
 * Reads see every write that returned before they began, in every process. What has ended by itself may be among what is
 * read (`holds`). Failures of the medium are `ServedError` "store-failed". All methods may be called concurrently.
 */
export interface RulingStore {
  /** Makes a ruling, in place of what has its name. */
  set(ruling: Ruling, note?: RulingNote): Promise<void>;

  /** Removes one. Throws `CodedError` "no-such-ruling" where there is none. */
  remove(change: RulingName & Pick<Ruling, "at" | "request">, note?: RulingNote): Promise<void>;

  /** Makes and removes many, in no order and not as one; what is there already stays, what is gone is left gone. */
  change(sets: readonly Ruling[], removes: readonly RulingName[]): Promise<void>;

  /** The last change of a name, as far as it is known: of one that `remove` took away for two days at least. */
  last(name: RulingName): Promise<RulingChange | undefined>;

  /** All about a module and its versions, of every kind. */
  ofModule(module: string): Promise<readonly Ruling[]>;

  /** A page of a kind, in an order of the store's own that stays the same. */
  list(kind: RulingKind, limit: number, after?: RulingName): Promise<RulingPage>;

  count(kind: RulingKind): Promise<number>;
}

/** True for a ruling that has not ended by itself. */
export function holds({ until }: Pick<Ruling, "until">, now: number): boolean {
  return until === undefined || now < until;
}

/** True for a ruling by which a version is refused wherever it is stored. */
export function refuses({ kind }: Pick<Ruling, "kind">): boolean {
  return kind !== "exception";
}

/** Milliseconds for which it is known when a ruling was removed: longer than a change waits to be settled. */
export const rememberedRemoval = 3 * 86_400_000;

export function noSuchRuling(): CodedError {
  return new CodedError("no-such-ruling", "nothing of the kind is ruled about this");
}
