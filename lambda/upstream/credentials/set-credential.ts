import { createPrivateKey } from "node:crypto";
import { CodedError } from "../../golang/coded-error.ts";
import type { CredentialKind } from "./configured-credentials.ts";
import { formatScope, parseScope } from "./url-scope.ts";

/** What somebody wants to be shown to a host. */
export interface CredentialRequest {
  readonly match: string;
  readonly kind: string;
  readonly user?: string | undefined;
  readonly secret: string;
}

const kinds: readonly string[] = ["basic", "bearer", "github-app"] satisfies CredentialKind[];

/** Characters: a private key of 4,096 bits has 3,300. */
const longest = { match: 300, user: 200, secret: 8192 } as const;

/**
 * Returns it as it is kept. Throws `CodedError` "bad-credential" that names the field and what it must be, and never what it is.
 */
export function checkCredential(request: CredentialRequest): CredentialRequest & { readonly kind: CredentialKind } {
  const { user } = request;
  const kind = kindOf(request.kind);
  const match = checkMatch(request.match);
  const secret = request.secret.replace(/[\r\n]+$/, "");
  if (secret === "" || secret.length > longest.secret) throw bad(`secret: expected 1 to ${longest.secret} characters`);
  if (kind === "github-app" && user === undefined) throw bad("user: expected the id of the App");
  if (kind === "bearer" && user !== undefined) throw bad("user: expected none, for a bearer token has no user");
  if (user !== undefined && (user.length > longest.user || !/^[^:\x00-\x1f\x7f]+$/.test(user)))
    throw bad(`user: expected 1 to ${longest.user} characters without colon`);
  const fault = faultOfSecret(kind, secret);
  if (fault !== undefined) throw bad(`secret: ${fault}`);
  return { match, kind, secret, ...(user !== undefined && { user }) };
}

/** Returns a host, or host and path, in the one spelling in which it is kept. Throws `CodedError` "bad-credential". */
export function checkMatch(text: string): string {
  // A star would stand for itself, whatever whoever wrote it thinks.
  const scope = text.length > longest.match || /[*,]/.test(text) ? undefined : parseScope(text);
  if (scope === undefined) throw bad("match: expected a host or host/path, without a scheme");
  return formatScope(scope);
}

function kindOf(text: string): CredentialKind {
  if (!kinds.includes(text)) throw bad(`kind: expected one of ${kinds.join(", ")}`);
  return text as CredentialKind;
}

function faultOfSecret(kind: CredentialKind, secret: string): string | undefined {
  if (kind === "bearer")
    return /^[\x21-\x7e]+$/.test(secret) ? undefined : "expected a token: printable, without spaces";
  if (kind === "basic")
    return /[\x00-\x1f\x7f]/.test(secret) ? "expected a password, without control characters" : undefined;
  return isRsaKey(secret) ? undefined : "expected an RSA private key in PEM";
}

function isRsaKey(text: string): boolean {
  try {
    return createPrivateKey(text).asymmetricKeyType === "rsa";
  } catch {
    // Whatever it says of the key is nobody's to read.
    return false;
  }
}

function bad(message: string): CodedError {
  return new CodedError("bad-credential", message);
}
