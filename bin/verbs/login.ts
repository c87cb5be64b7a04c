import { resolve } from "node:path";
import { formatCredential } from "../../lambda/access/credential.ts";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import { printable } from "../../lambda/golang/shown-text.ts";
import { exchange } from "../login/exchange.ts";
import { KeptLogins } from "../login/kept-logins.ts";
import type { Login, Renewal } from "../login/login.ts";
import { chosenProvider, type OfferedProvider, offeredProviders } from "../login/offered-providers.ts";
import { parseIdToken, proofOf } from "../login/renewed-login.ts";
import { type SignIn, signInByBrowser, signInByDevice } from "../login/sign-in.ts";
import { parseVerbArgs, type Terminal, type Verb } from "./verb.ts";

const options = {
  device: { type: "boolean", default: false },
  issuer: { type: "string" },
  scope: { type: "string", default: "" },
  prompt: { type: "string" },
  port: { type: "string", default: "0" },
  wait: { type: "string", default: "300" },
  cert: { type: "string" },
  key: { type: "string" },
  "id-token": { type: "boolean", default: false },
  "id-token-file": { type: "string" },
  "id-token-env": { type: "string" },
  "id-token-command": { type: "string" },
  token: { type: "boolean", default: false },
} as const;

type Values = ReturnType<typeof parseVerbArgs<typeof options>>["values"];

/** What one way of logging in takes to obtain a login, which is all that differs. */
type Way = (server: string, values: Values, terminal: Terminal) => Promise<Login>;

/**
 * `modfront login URL`: obtains a token, by whatever the server takes, and keeps it with what renews it.
 *
 * Nothing secret is ever a word of the command line, which others can see.
 */
export const login: Verb = {
  usage:
    "URL [--issuer URL] [--scope SCOPES] [--prompt P] [--device, or --port N] [--wait SECONDS] |\n" +
    "      URL --cert FILE --key FILE | URL --token | URL --id-token | URL --id-token-file FILE | URL --id-token-env NAME |\n" +
    "      URL --id-token-command LINE",
  summary:
    "signs in by the browser, another device, a client certificate or an ID token, and keeps the token with what renews\n" +
    "      it for GOAUTH='modfront credential'; --id-token and --token read theirs from the keyboard or a pipe",
  run: async (args, terminal) => {
    const { values, positionals } = parseVerbArgs(args, options, { least: 1, most: 1 });
    const server = positionals[0]?.replace(/\/+$/, "") ?? "";
    checkServer(server);
    const obtained = await wayOf(values)(server, values, terminal);
    const gosumdb = await gosumdbFor(server, obtained.token, terminal);
    if (gosumdb === "refused") return 1;
    const logins = new KeptLogins(terminal);
    await logins.alone(() => logins.store(server, obtained));
    terminal.note(`the token for ${server} is kept${until(obtained)}; go uses it with`);
    terminal.note(`  go env -w GOPROXY=${server} ${gosumdb}GOAUTH='modfront credential'`);
    return 0;
  },
};

/** Ways are told apart by a flag of their own; without any it is what the server offers to people. */
function wayOf(values: Values): Way {
  const flags = {
    device: byDevice,
    cert: byCertificate,
    "id-token": byIdToken,
    "id-token-file": byIdTokenFile,
    "id-token-env": byIdTokenVariable,
    "id-token-command": byIdTokenCommand,
    token: byToken,
  };
  if (isGiven(values.key) && !isGiven(values.cert)) throw new CodedError("usage", "--key takes the --cert of that key");
  const given = Object.entries(flags).filter(([flag]) => isGiven(values[flag as keyof typeof flags]));
  const [[, way] = ["", byWhatIsOffered], other] = given;
  if (other !== undefined)
    throw new CodedError("usage", `--${given.map(([flag]) => flag).join(" and --")} are two ways`);
  return way;
}

/** One with nothing as its value was given all the same, by a script whose variable is not set. */
function isGiven(value: string | boolean | undefined): boolean {
  return value !== undefined && value !== false;
}

const byWhatIsOffered: Way = async (server, values, terminal) => {
  const offered = await offeredProviders(server).catch((error: Error) => {
    terminal.note(error.message);
    return [];
  });
  if (offered.length === 0) return await byToken(server, values, terminal);
  return await bySignIn(server, signInByBrowser, offered, values, terminal);
};

const byDevice: Way = async (server, values, terminal) =>
  await bySignIn(server, signInByDevice, await offeredProviders(server), values, terminal);

async function bySignIn(
  server: string,
  signIn: typeof signInByBrowser,
  offered: readonly OfferedProvider[],
  { issuer, scope, prompt, port, wait }: Values,
  terminal: Terminal,
): Promise<Login> {
  if (offered.length === 0) throw new CodedError("usage", `${server} signs nobody in by a provider: see --token`);
  const secret = terminal.environment.MODFRONT_CLIENT_SECRET;
  const client = { ...chosenProvider(offered, issuer), ...(secret ? { clientSecret: secret } : {}) };
  const wanted: SignIn = {
    client,
    wishes: { scopes: scope.split(" ").filter(Boolean), prompt },
    port: wholeNumber("port", port, 65_535),
    wait: wholeNumber("wait", wait, 3600),
  };
  terminal.note(`signing in to ${server} by ${printable(client.issuer, 200)}`);
  const { idToken, refreshToken } = await signIn(wanted, terminal);
  const obtained = await exchange(server, { idToken }, terminal.now);
  if (refreshToken !== undefined) {
    const { issuer, clientId, clientSecret } = client as { clientSecret?: string } & OfferedProvider;
    const kept = { kind: "provider", issuer, clientId, refreshToken } as const;
    return { ...obtained, renewal: clientSecret === undefined ? kept : { ...kept, clientSecret } };
  }
  terminal.note("the provider gave nothing to renew the token by; some want --prompt consent for it");
  return obtained;
}

/** Exchanges what is read anew for each renewal. */
async function byProof(server: string, renewal: Exclude<Renewal, { kind: "provider" }>, terminal: Terminal) {
  const proof = await proofOf(renewal, terminal);
  return { ...(await exchange(server, proof, terminal.now)), renewal };
}

const byCertificate: Way = async (server, { cert = "", key }, terminal) => {
  if (key === undefined) throw new CodedError("usage", "--cert takes the --key that belongs to it");
  return await byProof(server, { kind: "certificate", cert: resolve(cert), key: resolve(key) }, terminal);
};

const byIdTokenFile: Way = async (server, values, terminal) =>
  await byProof(server, { kind: "file", path: resolve(values["id-token-file"] ?? "") }, terminal);

const byIdTokenVariable: Way = async (server, values, terminal) =>
  await byProof(server, { kind: "environment", name: values["id-token-env"] ?? "" }, terminal);

const byIdTokenCommand: Way = async (server, values, terminal) =>
  await byProof(server, { kind: "command", line: values["id-token-command"] ?? "" }, terminal);

const byIdToken: Way = async (server, _values, terminal) => {
  const text = await terminal.readSecret(`ID token for ${server}: `);
  return await exchange(server, { idToken: parseIdToken(text, "what was read") }, terminal.now);
};

const byToken: Way = async (server, _values, terminal) => {
  const token = (await terminal.readSecret(`token for ${server}: `)).trim();
  if (!/^mf_[\w-]+\.[\w-]{43}$/.test(token)) throw new CodedError("usage", "this is not a modfront token");
  return { token };
};

function checkServer(server: string): void {
  try {
    formatCredential([server], "");
  } catch (cause) {
    throw new CodedError("usage", (cause as Error).message, { cause });
  }
}

function wholeNumber(flag: string, text: string, most: number): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= most) return Number(text);
  throw new CodedError("usage", `--${flag} takes a number of at most ${most}`);
}

function until({ expires, renewal }: Login): string {
  if (expires === undefined) return "";
  return renewal === undefined ? ` until ${new Date(expires).toISOString()}` : " and will be renewed";
}

/**
 * Returns the setting of GOSUMDB for a server, or nothing where it cannot be asked or has none. The server, to which alone
 * fetch sends the token, is asked with it, and so whether it takes it.
 */
async function gosumdbFor(server: string, token: string, { note }: Terminal): Promise<string | "refused"> {
  const headers = { authorization: `Bearer ${token}` };
  try {
    const answer = await fetch(`${server}/-/gosumdb`, { headers, signal: AbortSignal.timeout(10_000) });
    const line = printable((await answer.text()).split("\n", 1)[0] ?? "", 200);
    if (answer.status !== 401) return /^[\w./-]+\+[0-9a-f]{8}\+[\w+/=]+$/.test(line) ? `GOSUMDB=${line} ` : "";
    note(`${server} refuses it: ${line}`);
    return "refused";
  } catch {
    note(`${server} cannot be reached, so that the token was not checked`);
    return "";
  }
}
