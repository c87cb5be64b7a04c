import { listTokens, type TokenRequest } from "../../lambda/access/tokens.ts";
import { shownToken } from "../../lambda/admin/shown-token.ts";
import { CodedError, isCodedError } from "../../lambda/golang/coded-error.ts";
import { printable } from "../../lambda/golang/shown-text.ts";
import type { AccessPlace } from "./access-place.ts";
import { actorHere } from "./open-audit.ts";
import { openTokens } from "./open-tokens.ts";
import { type ServedToken, ServedTokens } from "./served-tokens.ts";
import { parseVerbArgs, type Terminal, type Verb } from "./verb.ts";

const places = {
  data: { type: "string" },
  config: { type: "string" },
  stack: { type: "string" },
  url: { type: "string" },
  json: { type: "boolean", default: false },
} as const;

const request = {
  subject: { type: "string" },
  role: { type: "string", default: "viewer" },
  modules: { type: "string" },
  days: { type: "string", default: "90" },
} as const;

type Action = (args: readonly string[], terminal: Terminal) => Promise<void>;

const create: Action = async (args, terminal) => {
  const { values } = parseVerbArgs(args, { ...places, ...request }, { least: 0, most: 0 });
  const { subject, role, modules, days, json } = values;
  if (subject === undefined) throw new CodedError("usage", "--subject says whom the token is for");
  const wanted = { subject, role, modules, days: /^\d{1,9}$/.test(days) ? Number(days) : Number.NaN };
  const { token, ...made } = await createdToken(values, wanted, terminal);
  if (json) return terminal.print(JSON.stringify({ token, ...made }));
  terminal.print(token);
  terminal.note(`token ${made.id}, ${made.role}, until ${made.expires.slice(0, 10)}; it is shown this once`);
};

async function createdToken(
  values: Places,
  wanted: TokenRequest,
  terminal: Terminal,
): Promise<ServedToken & { readonly token: string }> {
  if (values.url !== undefined) return await (await servedTokens(values, terminal)).create(wanted);
  const { tokens, close } = await openTokens(values, terminal, wanted.modules);
  const { token, record } = await tokens.create(actorHere(values), wanted).finally(close);
  return { token, ...shownToken(record) };
}

const list: Action = async (args, terminal) => {
  const { values } = parseVerbArgs(args, places, { least: 0, most: 0 });
  const tokens =
    values.url === undefined ? storedTokens(values, terminal) : (await servedTokens(values, terminal)).list();
  let isHeaded = values.json;
  const head = () => {
    if (!isHeaded) terminal.note(["ID", "ROLE", "UNTIL", "STATE", "SUBJECT", "PRIVATE MODULES"].join("\t"));
    isHeaded = true;
  };
  for await (const token of tokens) {
    head();
    terminal.print(values.json ? JSON.stringify(token) : row(token));
  }
  head();
};

async function* storedTokens(values: Places, terminal: Terminal): AsyncIterable<ServedToken> {
  const { store, close } = await openTokens(values, terminal);
  let after: string | undefined;
  do {
    const { items, next } = await listTokens(store, seconds(terminal), { after });
    yield* items.map(shownToken);
    after = next;
  } while (after !== undefined);
  close();
}

const revoke: Action = async (args, terminal) => {
  const { values, positionals } = parseVerbArgs(args, places, { least: 1, most: 1 });
  const [id = ""] = positionals;
  if (values.url === undefined) {
    const { tokens, close } = await openTokens(values, terminal);
    await tokens.revoke(actorHere(values), id).finally(close);
  } else await (await servedTokens(values, terminal)).revoke(id);
  if (values.json) terminal.print(JSON.stringify({ id }));
  terminal.note(`token ${id} is refused within seconds`);
};

type Places = AccessPlace & { readonly url?: string | undefined };

async function servedTokens({ url = "", data, stack }: Places, terminal: Terminal): Promise<ServedTokens> {
  if (data !== undefined || stack !== undefined)
    throw new CodedError("usage", "--url, --stack and --data name different places: which one?");
  return await ServedTokens.open(url, terminal);
}

const rotate: Action = async (args, terminal) => {
  const options = { ...places, "drop-old": { type: "boolean", default: false } } as const;
  const { values } = parseVerbArgs(args, options, { least: 0, most: 0 });
  const dropOld = values["drop-old"];
  const key = await rotatedKey(values, dropOld, terminal);
  if (values.json) terminal.print(JSON.stringify({ key, droppedOld: dropOld }));
  terminal.note(
    dropOld
      ? "every token made before ends within seconds"
      : "new tokens have a new key; older ones go on until the next rotation",
  );
};

async function rotatedKey(values: Places, dropOld: boolean, terminal: Terminal): Promise<string> {
  if (values.url !== undefined) return await (await servedTokens(values, terminal)).rotateKey(dropOld);
  const { tokens, close } = await openTokens(values, terminal);
  return await tokens.rotateKey(actorHere(values), { dropOld }).finally(close);
}

const actions: Readonly<Record<string, Action>> = { create, list, revoke, "rotate-key": rotate };

/** `modfront token …`: makes, lists and ends tokens, of a data folder or of a deployment. */
export const token: Verb = {
  usage:
    "create --subject S [--role R] [--modules PATTERNS] [--days N] | list | revoke ID | rotate-key [--drop-old]\n" +
    "      each with [--json], and with [--data FOLDER] [--config FILE], or --stack NAME for a deployment on AWS, or --url\n" +
    "      URL for a running modfront and the token of MODFRONT_TOKEN or of modfront login",
  summary: "makes, lists and ends the tokens by which people and machines are let in",
  run: async ([name = "", ...args], terminal) => {
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined) throw new CodedError("usage", `token takes ${Object.keys(actions).join(", ")}`);
    try {
      await action(args, terminal);
      return 0;
    } catch (error) {
      if (isCodedError(error, "bad-token-request")) throw new CodedError("usage", error.message, { cause: error });
      throw error;
    }
  },
};

function row({ id, role, expires, revoked, subject, modules }: ServedToken): string {
  const state = revoked === undefined ? "valid" : "revoked";
  const cells = [id, role, expires.slice(0, 10), state, subject, modules.join(",") || "-"];
  return cells.map((cell) => printable(cell)).join("\t");
}

function seconds({ now }: Terminal): number {
  return Math.floor(now() / 1000);
}
