import { AuditedChanges } from "../../lambda/access/audit/audited-changes.ts";
import type { Tenants } from "../../lambda/access/tenants.ts";
import { AuditedRulings } from "../../lambda/admin/audited-rulings.ts";
import { shownRuling } from "../../lambda/admin/ruling-routes.ts";
import { functionName } from "../../lambda/config/env.ts";
import { CodedError, isCodedError } from "../../lambda/golang/coded-error.ts";
import { escapePath, escapeVersion } from "../../lambda/golang/module.ts";
import { printable } from "../../lambda/golang/shown-text.ts";
import { SqliteRulingStore } from "../../lambda/local/data/sqlite-ruling-store.ts";
import { readDataSettings } from "../../lambda/local/server/data-settings.ts";
import type { RulingName, RulingStore } from "../../lambda/proxy/store/ruling-store.ts";
import type { AccessPlace } from "./access-place.ts";
import { actorHere, openAudit } from "./open-audit.ts";
import { ServedModfront } from "./served-modfront.ts";
import { parseVerbArgs, type Terminal, type Verb } from "./verb.ts";

const places = {
  data: { type: "string" },
  config: { type: "string" },
  stack: { type: "string" },
  url: { type: "string" },
  json: { type: "boolean", default: false },
} as const;

type Place = AccessPlace & { readonly url?: string | undefined };

type ShownBlock = ReturnType<typeof shownRuling>;

const where =
  "[--data FOLDER] [--config FILE], or --stack NAME for a deployment on AWS, or --url URL for a running modfront\n" +
  "      and the token of MODFRONT_TOKEN or of modfront login; --json";

/** `modfront block`: refuses a version, or a module, wherever it is stored. */
export const block: Verb = {
  usage: `MODULE[@VERSION] --reason TEXT [--until DAY] ${where}`,
  summary: "refuses a version, or all of a module, to everybody within seconds",
  run: async (args, terminal) => {
    const options = { ...places, reason: { type: "string" }, until: { type: "string" } } as const;
    const { values, positionals } = parseVerbArgs(args, options, { least: 1, most: 1 });
    const { reason, until, json } = values;
    if (reason === undefined) throw new CodedError("usage", "--reason is what whoever is refused reads");
    const name = parseName(positionals[0] ?? "");
    const body = { reason, ...(until !== undefined && { until }) };
    const made = await orUsage(() =>
      values.url === undefined
        ? withStored(values, terminal, async (rulings) =>
            shownRuling(await rulings.set(actorHere(values), { ...name, ...body })),
          )
        : served(values, terminal, (server) => server.ask("PUT", addressOf(name), body) as Promise<ShownBlock>),
    );
    if (json) terminal.print(JSON.stringify(made));
    terminal.note(`${printable(positionals[0] ?? "")} is refused within seconds`);
    return 0;
  },
};

/** `modfront unblock`: takes a block back. */
export const unblock: Verb = {
  usage: `MODULE[@VERSION] ${where}`,
  summary: "takes a block back",
  run: async (args, terminal) => {
    const { values, positionals } = parseVerbArgs(args, places, { least: 1, most: 1 });
    const name = parseName(positionals[0] ?? "");
    await orUsage(() =>
      values.url === undefined
        ? withStored(values, terminal, (rulings) => rulings.remove(actorHere(values), name))
        : served(values, terminal, (server) => server.ask("DELETE", addressOf(name))),
    );
    if (values.json) terminal.print(JSON.stringify({ module: name.module, version: name.version || undefined }));
    terminal.note(`${printable(positionals[0] ?? "")} is not blocked any more, within seconds`);
    return 0;
  },
};

/** `modfront blocks`: lists what is blocked. */
export const blocks: Verb = {
  usage: where,
  summary: "lists what is blocked, why and until when",
  run: async (args, terminal) => {
    const { values } = parseVerbArgs(args, places, { least: 0, most: 0 });
    if (!values.json) terminal.note(["MODULE", "UNTIL", "BY", "SINCE", "REASON"].join("\t"));
    for await (const each of values.url === undefined ? storedBlocks(values, terminal) : servedBlocks(values, terminal))
      terminal.print(values.json ? JSON.stringify(each) : row(each));
    return 0;
  },
};

async function* storedBlocks(place: Place, terminal: Terminal): AsyncIterable<ShownBlock> {
  const { store, close } = await openStore(place, terminal);
  try {
    let after: RulingName | undefined;
    do {
      const { items, next } = await store.list("block", 1000, after);
      yield* items.map(shownRuling);
      after = next;
    } while (after !== undefined);
  } finally {
    close();
  }
}

async function* servedBlocks(place: Place, terminal: Terminal): AsyncIterable<ShownBlock> {
  let after = "";
  do {
    const address = `/-/api/blocks?limit=1000${after === "" ? "" : `&after=${encodeURIComponent(after)}`}`;
    const page = (await served(place, terminal, (server) => server.ask("GET", address))) as {
      readonly items: readonly ShownBlock[];
      readonly next?: string;
    };
    yield* page.items;
    after = page.next ?? "";
  } while (after !== "");
}

async function withStored<Result>(
  place: Place,
  terminal: Terminal,
  work: (rulings: AuditedRulings) => Promise<Result>,
): Promise<Result> {
  const { store, tenants, close } = await openStore(place, terminal);
  const audit = await openAudit(place, terminal);
  const changes = new AuditedChanges(audit.log, terminal.now);
  try {
    return await work(new AuditedRulings({ store, changes, tenants, now: terminal.now }));
  } finally {
    close();
    audit.close();
  }
}

interface OpenedStore {
  readonly store: RulingStore;
  /** As configured here: an event of a deployment names none. */
  readonly tenants: Tenants;
  readonly close: () => void;
}

async function openStore(place: Place, { environment, now }: Terminal): Promise<OpenedStore> {
  const { stack } = place;
  if (stack !== undefined) {
    if (place.data !== undefined) throw new CodedError("usage", "--stack and --data name two places: which one?");
    const { openDeployedRulings } = await import("../../lambda/aws/open-deployed-rulings.ts");
    const store = await openDeployedRulings(stack, functionName(stack, "control"), now);
    return { store, tenants: {}, close: () => {} };
  }
  const { data, config } = readDataSettings(place, environment);
  const store = new SqliteRulingStore(data);
  return { store, tenants: config.tenants, close: () => store.close() };
}

async function served<Result>(
  { url = "", data, stack }: Place,
  terminal: Terminal,
  ask: (server: ServedModfront) => Promise<Result>,
): Promise<Result> {
  if (data !== undefined || stack !== undefined)
    throw new CodedError("usage", "--url, --stack and --data name different places: which one?");
  return await ask(await ServedModfront.open(url, terminal));
}

/** What is wrong in what was typed is wrong usage, wherever it was found. */
async function orUsage<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (isCodedError(error, "bad-ruling")) throw new CodedError("usage", error.message, { cause: error });
    throw error;
  }
}

function parseName(text: string): RulingName {
  const at = text.indexOf("@");
  const [module, version] = at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  if (module === "" || (at >= 0 && version === ""))
    throw new CodedError("usage", "this takes MODULE, or MODULE@VERSION: example.com/m@v1.2.3");
  return { kind: "block", module, version };
}

function addressOf({ module, version }: RulingName): string {
  try {
    return `/-/api/blocks/${escapePath(module)}${version === "" ? "" : `@${escapeVersion(version)}`}`;
  } catch (cause) {
    throw new CodedError("usage", "this takes a module path, and a canonical version of it", { cause });
  }
}

function row({ module, version, reason, until = "-", by, at }: ShownBlock): string {
  const name = version === undefined ? module : `${module}@${version}`;
  return [name, until, by, at.slice(0, 10), reason].map((cell) => printable(cell)).join("\t");
}
