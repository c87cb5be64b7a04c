import { CodedError } from "../../golang/coded-error.ts";
import type { CredentialKind } from "./configured-credentials.ts";

/** What somebody set over HTTP or at a terminal to be shown to a host, beside what the configuration says. */
export interface SetCredential {
  /** As `formatScope` writes it: `"git.corp.example/team"`. */
  readonly match: string;
  /** For whose modules alone it is shown; empty: for all that the configuration's are for. */
  readonly tenant: string;
  readonly kind: CredentialKind;
  readonly user?: string | undefined;
  readonly secret: string;
  /** Milliseconds since the epoch, and the id of the request that set it. */
  readonly changed: number;
  readonly request: string;
}

/** Names one of them. */
export type CredentialName = Pick<SetCredential, "match" | "tenant">;

/** All but the secret, which is never read back. */
export type ShownCredential = Omit<SetCredential, "secret">;

/** Calls before a change, which does not happen when that rejects. */
export type CredentialNote = () => Promise<void>;

/** What fetches with them: it only reads. */
export interface CredentialReads {
  /** Returns all as they are now; the same array while nothing has changed. A change anywhere is in it within seconds. */
  readAll(): Promise<readonly SetCredential[]>;

  /** True where a tenant has one of its own, as far as is known without waiting. */
  hasOwn(tenant: string): boolean;
}

/** What changes them: it reads no secret. */
export interface CredentialStore {
  list(): Promise<readonly ShownCredential[]>;

  /** The last change of a name, as far as it is known: of one that was removed for two days at least. */
  last(name: CredentialName): Promise<CredentialChange | undefined>;

  /** Sets one, in place of what has its name. Throws `CodedError` "credentials-full" where there are too many. */
  set(credential: SetCredential, note?: CredentialNote): Promise<void>;

  /** Throws `CodedError` "no-such-credential" where there is none. */
  remove(change: CredentialName & Pick<SetCredential, "changed" | "request">, note?: CredentialNote): Promise<void>;
}

/** When a credential was set or removed, and by which request. */
export interface CredentialChange extends Pick<SetCredential, "changed" | "request"> {
  readonly removed: boolean;
}

/** How many there may be of each tenant, and of the organisation. */
export const mostCredentials = 100;

/** Throws `CodedError` "credentials-full" where there is no room for one beside those that are there. */
export function checkRoom(present: readonly CredentialName[], { tenant, match }: CredentialName): void {
  const others = present.filter((each) => each.tenant === tenant && each.match !== match);
  if (others.length >= mostCredentials)
    throw new CodedError("credentials-full", `there are ${mostCredentials} credentials: remove one first`);
}

export function noSuchCredential(): CodedError {
  return new CodedError("no-such-credential", "no credential was set for this");
}

/** Of one that was just read, with its secret taken off. */
export function shown({ secret: _, ...rest }: SetCredential): ShownCredential {
  return rest;
}
