import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import type { Login, Renewal } from "./login.ts";

// Read by every `modfront credential`, whose start go waits for: no promises, and nothing that is not needed to read.

/** Logins by server: `"https://go.corp.example"`. */
export type Logins = ReadonlyMap<string, Login>;

/** Bytes: no file of logins comes near it. */
const largestFile = 1 << 20;

/**
 * Returns the logins of a file; none when there is no file.
 *
 * Throws `CodedError` "logins-unreadable" for a damaged file, and for one that others may read: a token in it is not a
 * secret any more.
 */
export function readLogins(path: string): Logins {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return new Map();
    throw unreadable("cannot be read", cause);
  }
  try {
    const { mode, size } = fstatSync(file);
    if (process.platform !== "win32" && (mode & 0o077) !== 0)
      throw unreadable("may be read by others: chmod 600 it, or delete it and log in anew");
    if (size > largestFile) throw damaged();
    return parseLogins(readFileSync(file, "utf8"));
  } finally {
    closeSync(file);
  }
}

function parseLogins(text: string): Logins {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The cause would quote the file.
    throw damaged();
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw damaged();
  return new Map(Object.entries(value).map(([server, login]) => [server, parseLogin(login)]));
}

/** Before there were renewals a login was its token alone. */
function parseLogin(value: unknown): Login {
  const login = typeof value === "string" ? { token: value } : (value as Partial<Login> | null);
  if (typeof login?.token !== "string" || !/^[\w.-]+$/.test(login.token)) throw damaged();
  for (const time of [login.obtained, login.expires, login.failed])
    if (time !== undefined && typeof time !== "number") throw damaged();
  if (login.renewal !== undefined && !isRenewal(login.renewal)) throw damaged();
  return login as Login;
}

const renewalFields: Readonly<Record<Renewal["kind"], readonly string[]>> = {
  provider: ["issuer", "clientId", "refreshToken"],
  certificate: ["cert", "key"],
  file: ["path"],
  environment: ["name"],
  command: ["line"],
};

function isRenewal(value: object): boolean {
  const fields: Record<string, unknown> = { ...value };
  const kind = String(fields.kind);
  if (!Object.hasOwn(renewalFields, kind)) return false;
  return renewalFields[kind as Renewal["kind"]].every((name) => typeof fields[name] === "string");
}

function damaged(): CodedError<"logins-unreadable"> {
  return unreadable("is damaged: delete it and log in anew");
}

function unreadable(what: string, cause?: unknown): CodedError<"logins-unreadable"> {
  return new CodedError("logins-unreadable", `the file of logins ${what}`, { cause });
}
