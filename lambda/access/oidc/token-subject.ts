import { hash } from "node:crypto";
import { CodedError } from "../../golang/coded-error.ts";
import { claimTexts, type TokenClaims } from "./claims.ts";

/** What names a CI job's repository, before what names somebody. */
const usual = ["repository", "project_path"] as const;

/**
 * Returns the subject of the token that is given for these claims: by the claim that the configuration names, else the
 * repository or project of a CI job, the e-mail address of a person where the issuer says that it is theirs, or `sub`.
 *
 * A name that people choose for themselves is none of these: a subject can make an admin of a tenant. Throws `CodedError`
 * "claim-refused" where there is none.
 */
export function subjectOf(claims: TokenClaims, configured?: string): string {
  const isTheirs = claimTexts(claims, "email_verified")[0] === "true";
  const names = configured === undefined ? [...usual, ...(isTheirs ? ["email"] : []), "sub"] : [configured];
  for (const name of names) {
    const [text, ...more] = claimTexts(claims, name);
    if (text !== undefined && text !== "" && more.length === 0) return shownSubject(text);
  }
  throw new CodedError("claim-refused", `the claim ${names.join(" or ")} names no subject`);
}

/** As a token takes it, printable ASCII of at most 100 characters; what is longer or else ends in a hash of the whole. */
export function shownSubject(text: string): string {
  if (/^[\x20-\x7e]{1,100}$/.test(text)) return text;
  const shown = text.slice(0, 70).replace(/[^\x20-\x7e]/g, "?");
  return `${shown}#${hash("sha256", text, "base64url").slice(0, 22)}`;
}
