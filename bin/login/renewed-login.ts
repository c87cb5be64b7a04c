import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { promisify } from "node:util";
import { CodedError, isCodedError } from "../../lambda/golang/coded-error.ts";
import type { Machine } from "./config-folder.ts";
import { exchange, type Proof } from "./exchange.ts";
import { KeptLogins } from "./kept-logins.ts";
import { isDue, type Login, type Renewal } from "./login.ts";
import { Provider } from "./provider.ts";

/** What a renewal needs of the process it runs in. */
export interface Renewer extends Machine {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A line for the person. */
  readonly note: (line: string) => void;
}

/** A login as whoever asks found it, and whether the server refused its token. */
export interface Found {
  readonly login: Login;
  readonly isRefused: boolean;
}

/**
 * Returns the login of a server renewed, by this process or by another that was quicker, or as it was where that fails.
 *
 * However many ask, one renews; a failure is written down too, so that those who waited do not fail one after the other.
 */
export async function renewedLogin(server: string, found: Found, renewer: Renewer): Promise<Login | undefined> {
  const logins = new KeptLogins(renewer);
  return await logins.alone(async () => {
    const login = logins.find(server);
    // However long one waited for the lock, another token than the one that was found is not the one that was refused.
    const isRefused = found.isRefused && login?.token === found.login.token;
    if (login?.renewal === undefined || !isDue(login, renewer.now(), isRefused)) return login;
    const keep = (changed: Login) => logins.store(server, changed);
    try {
      const renewed = await renew(server, login, login.renewal, keep, renewer);
      await keep(renewed);
      return renewed;
    } catch (error) {
      const failed = await afterFailure(logins.find(server) ?? login, error, server, renewer);
      await keep(failed);
      return failed;
    }
  });
}

type Keep = (login: Login) => Promise<void>;

async function renew(server: string, login: Login, renewal: Renewal, keep: Keep, renewer: Renewer): Promise<Login> {
  if (renewal.kind !== "provider")
    return { ...(await exchange(server, await proofOf(renewal, renewer), renewer.now)), renewal };
  const provider = await Provider.discover(renewal, renewer.now);
  const { idToken, refreshToken = renewal.refreshToken } = await provider.refresh(renewal.refreshToken);
  // The old one may be worth nothing by now: whoever dies here must find the new one.
  const next = { ...renewal, refreshToken };
  if (refreshToken !== renewal.refreshToken) await keep({ ...login, renewal: next });
  return { ...(await exchange(server, { idToken }, renewer.now)), renewal: next };
}

/** Reads anew what whoever runs this machine keeps fresh. */
export async function proofOf(
  renewal: Exclude<Renewal, { kind: "provider" }>,
  { environment }: Pick<Machine, "environment">,
): Promise<Proof> {
  if (renewal.kind === "environment") return { idToken: parseIdToken(environment[renewal.name] ?? "", renewal.name) };
  if (renewal.kind === "command")
    return { idToken: parseIdToken(await printedBy(renewal.line), "what the command prints") };
  if (renewal.kind === "file") return { idToken: parseIdToken((await readProof(renewal.path)).toString(), "the file") };
  const [cert, key] = await Promise.all([readProof(renewal.cert), readProof(renewal.key)]);
  return { certificate: checkPair({ cert, key }) };
}

function checkPair(pair: { readonly cert: Buffer; readonly key: Buffer }): typeof pair {
  try {
    createSecureContext(pair);
    return pair;
  } catch (cause) {
    throw new CodedError("login-proof", "the files are no certificate and its key", { cause });
  }
}

/** What it says on stderr is its own to keep: it may be a secret. */
async function printedBy(line: string): Promise<string> {
  const [program = "", ...args] = line.split(" ").filter(Boolean);
  try {
    return (await promisify(execFile)(program, args, { timeout: 60_000, maxBuffer: 1 << 20 })).stdout;
  } catch (cause) {
    throw new CodedError("login-proof", "the command that prints an ID token fails", { cause });
  }
}

async function readProof(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new CodedError("login-proof", "the file of the ID token, certificate or key cannot be read", { cause });
  }
}

/** Checks no more than that it is one: what it says is the server's to judge. Throws `CodedError` "login-proof". */
export function parseIdToken(text: string, where: string): string {
  const idToken = text.trim();
  if (idToken.length < 65_536 && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(idToken)) return idToken;
  throw new CodedError("login-proof", `${where} holds no ID token`);
}

/** A refresh token that the provider refuses is not tried again; anything else is, a little later. */
async function afterFailure(login: Login, error: unknown, server: string, { now, note }: Renewer): Promise<Login> {
  if (!isCodedError(error)) throw error;
  note(`${server}: the token cannot be renewed: ${error.message}`);
  if (error.code !== "provider-refused") return { ...login, failed: now() };
  const { renewal: _, ...rest } = login;
  note(`${server}: log in again with modfront login ${server}`);
  return rest;
}
