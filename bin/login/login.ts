/** How a token is obtained again without anybody being asked. */
export type Renewal =
  /** By the refresh token of an OpenID provider. */
  | {
      readonly kind: "provider";
      readonly issuer: string;
      readonly clientId: string;
      readonly clientSecret?: string;
      readonly refreshToken: string;
    }
  /** By files of a client certificate and its key, read each time. */
  | { readonly kind: "certificate"; readonly cert: string; readonly key: string }
  /** By an ID token that whoever runs this machine keeps fresh: in a file, in an environment variable, or printed. */
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "environment"; readonly name: string }
  /** A program and its arguments with a blank between, which no shell reads. */
  | { readonly kind: "command"; readonly line: string };

/** A token for one server. Times are milliseconds of this machine's clock, whatever the server's says. */
export interface Login {
  readonly token: string;
  /** When it was obtained, and when it ends; neither for one that a person pasted. */
  readonly obtained?: number;
  readonly expires?: number;
  readonly renewal?: Renewal;
  /** When it could not be renewed, the last time. */
  readonly failed?: number;
}

/** Milliseconds for which what was just tried is not tried again, however many ask; longer while the token is still good. */
const pause = 10_000;
const longPause = 60_000;

/** Milliseconds before its end, at most, at which a token is renewed. */
const longestMargin = 300_000;

/**
 * True where a login should be renewed: in the last quarter of its life, when the server refused it, or when the clock
 * was set back so far that nobody knows.
 */
export function isDue(login: Login, now: number, isRefused: boolean): boolean {
  const { renewal, obtained = 0, expires = Number.POSITIVE_INFINITY, failed } = login;
  if (renewal === undefined) return false;
  const isGood = now < expires && !isRefused;
  if (failed !== undefined && Math.abs(now - failed) < (isGood ? longPause : pause)) return false;
  if (now < obtained - pause) return true;
  const margin = Math.min(longestMargin, (expires - obtained) / 4);
  return expires - now < margin || (isRefused && now - obtained > pause);
}

/** True for a token that has not ended as far as this machine knows. */
export function isValid({ expires = Number.POSITIVE_INFINITY }: Login, now: number): boolean {
  return now < expires;
}
