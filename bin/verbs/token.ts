import type { TokenRecord } from "../../lambda/access/token-store.ts";
import { listTokens } from "../../lambda/access/tokens.ts";
import { CodedError, isCodedError } from "../../lambda/golang/coded-error.ts";
import { actorHere } from "./open-audit.ts";
import { openTokens } from "./open-tokens.ts";
import { parseVerbArgs, type Terminal, type Verb } from "./verb.ts";

const place = { data: { type: "string" }, config: { type: "string" }, stack: { type: "string" } } as const;

const request = {
  subject: { type: "string" },
  role: { type: "string", default: "viewer" },
  modules: { type: "string" },
  days: { type: "string", default: "90" },
} as const;

type Action = (args: readonly string[], terminal: Terminal) => Promise<void>;

const create: Action = async (args, terminal) => {
  const { values } = parseVerbArgs(args, { ...place, ...request }, { least: 0, most: 0 });
  const { subject, role, modules, days } = values;
  if (subject === undefined) throw new CodedError("usage", "--subject says whom the token is for");
  const wanted = { subject, role, modules, days: /^\d{1,9}$/.test(days) ? Number(days) : Number.NaN };
  const { tokens, close } = await openTokens(values, terminal);
  const { token, record } = await tokens.create(actorHere(values), wanted).finally(close);
  terminal.print(token);
  terminal.note(`token ${record.id}, ${record.role}, until ${day(record.expires)}; it is shown this once`);
};

const list: Action = async (args, terminal) => {
  const { values } = parseVerbArgs(args, place, { least: 0, most: 0 });
  const { store, close } = await openTokens(values, terminal);
  terminal.note(["ID", "ROLE", "UNTIL", "STATE", "SUBJECT", "PRIVATE MODULES"].join("\t"));
  let after: string | undefined;
  do {
    const { items, next } = await listTokens(store, seconds(terminal), { after });
    for (const token of items) terminal.print(listed(token));
    after = next;
  } while (after !== undefined);
  close();
};

const revoke: Action = async (args, terminal) => {
  const { values, positionals } = parseVerbArgs(args, place, { least: 1, most: 1 });
  const [id = ""] = positionals;
  const { tokens, close } = await openTokens(values, terminal);
  await tokens.revoke(actorHere(values), id).finally(close);
  terminal.note(`token ${id} is refused within seconds`);
};

const rotate: Action = async (args, terminal) => {
  const options = { ...place, "drop-old": { type: "boolean", default: false } } as const;
  const { values } = parseVerbArgs(args, options, { least: 0, most: 0 });
  const dropOld = values["drop-old"];
  const { tokens, close } = await openTokens(values, terminal);
  await tokens.rotateKey(actorHere(values), { dropOld }).finally(close);
  terminal.note(
    dropOld
      ? "every token made before ends within seconds"
      : "new tokens have a new key; older ones go on until the next rotation",
  );
};

const actions: Readonly<Record<string, Action>> = { create, list, revoke, "rotate-key": rotate };

/** `modfront token …`: makes, lists and ends tokens, of a data folder or of a deployment. */
export const token: Verb = {
  usage:
    "create --subject S [--role R] [--modules PATTERNS] [--days N] | list | revoke ID | rotate-key [--drop-old]\n" +
    "      each with [--data FOLDER] [--config FILE], or --stack NAME for a deployment on AWS",
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

function listed({ id, role, expires, revoked, subject, modules }: TokenRecord): string {
  return [id, role, day(expires), revoked === undefined ? "valid" : "revoked", subject, modules || "-"].join("\t");
}

function seconds({ now }: Terminal): number {
  return Math.floor(now() / 1000);
}

function day(time: number): string {
  return new Date(time * 1000).toISOString().slice(0, 10);
}
