import { AuditedChanges } from "../../lambda/access/audit/audited-changes.ts";
import { AuditedCredentials } from "../../lambda/admin/audited-credentials.ts";
import { CodedError, isCodedError } from "../../lambda/golang/coded-error.ts";
import { printable } from "../../lambda/golang/shown-text.ts";
import { SqliteCredentialStore } from "../../lambda/local/access/sqlite-credential-store.ts";
import { readDataSettings } from "../../lambda/local/server/data-settings.ts";
import { actorHere, openAudit } from "./open-audit.ts";
import { ServedModfront } from "./served-modfront.ts";
import { parseVerbArgs, type Terminal, type Verb } from "./verb.ts";

const place = { data: { type: "string" }, config: { type: "string" }, url: { type: "string" } } as const;
const whose = { ...place, tenant: { type: "string" }, json: { type: "boolean", default: false } } as const;

interface Place {
  readonly data?: string | undefined;
  readonly config?: string | undefined;
  readonly url?: string | undefined;
}

/** What was set, as it is shown over HTTP. */
interface Credential {
  readonly match: string;
  readonly kind: string;
  readonly user?: string;
  readonly tenant?: string;
  readonly changed: string;
}

type Action = (args: readonly string[], terminal: Terminal) => Promise<void>;

const set: Action = async (args, terminal) => {
  const options = { ...whose, kind: { type: "string", default: "basic" }, user: { type: "string" } } as const;
  const { values, positionals } = parseVerbArgs(args, options, { least: 1, most: 1 });
  const [match = ""] = positionals;
  const { kind, user, tenant } = values;
  const secret = (await terminal.readSecret(`what ${printable(match)} is shown: `)).replace(/[\r\n]+$/, "");
  const body = { kind, secret, ...(user !== undefined && { user }) };
  if (values.url !== undefined) {
    const server = await servedAt(values, terminal);
    await server.ask("PUT", addressOf(match), { ...body, ...(tenant !== undefined && { tenant }) });
  } else {
    await withStored(values, terminal, (credentials) =>
      credentials.set(actorHere({}), tenant ?? "", { ...body, match }),
    );
  }
  if (values.json) terminal.print(JSON.stringify({ match, ...(tenant !== undefined && { tenant }) }));
  terminal.note(`${printable(match)} is shown it within seconds`);
};

const remove: Action = async (args, terminal) => {
  const { values, positionals } = parseVerbArgs(args, whose, { least: 1, most: 1 });
  const [match = ""] = positionals;
  const { tenant } = values;
  if (values.url !== undefined) {
    const query = tenant === undefined ? "" : `?tenant=${encodeURIComponent(tenant)}`;
    await (await servedAt(values, terminal)).ask("DELETE", addressOf(match) + query);
  } else {
    await withStored(values, terminal, (credentials) => credentials.remove(actorHere({}), tenant ?? "", match));
  }
  if (values.json) terminal.print(JSON.stringify({ match, ...(tenant !== undefined && { tenant }) }));
  terminal.note(`${printable(match)} is shown nothing of it within seconds`);
};

const list: Action = async (args, terminal) => {
  const { values } = parseVerbArgs(args, { ...place, json: whose.json }, { least: 0, most: 0 });
  const items = values.url === undefined ? await storedList(values, terminal) : await servedList(values, terminal);
  if (!values.json) terminal.note(["HOST", "KIND", "USER", "TENANT", "CHANGED"].join("\t"));
  for (const item of items) terminal.print(values.json ? JSON.stringify(item) : row(item));
};

const actions: Readonly<Record<string, Action>> = { set, remove, list };

/** `modfront upstream …`: what is shown to git hosts and upstreams beside what the configuration says. */
export const upstream: Verb = {
  usage:
    "set HOST[/PATH] [--kind basic|bearer|github-app] [--user U] [--tenant T] | remove HOST[/PATH] [--tenant T] | list\n" +
    "      the secret is read from stdin; each with [--data FOLDER] [--config FILE], or --url URL for a running modfront\n" +
    "      and the token of MODFRONT_TOKEN or of modfront login; --json",
  summary: "sets what git hosts and upstreams are shown, for all or for the modules of a tenant",
  run: async ([name = "", ...args], terminal) => {
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined) throw new CodedError("usage", `upstream takes ${Object.keys(actions).join(", ")}`);
    try {
      await action(args, terminal);
      return 0;
    } catch (error) {
      if (isCodedError(error, "bad-credential")) throw new CodedError("usage", error.message, { cause: error });
      throw error;
    }
  },
};

async function withStored<Result>(
  place: Place,
  terminal: Terminal,
  work: (credentials: AuditedCredentials) => Promise<Result>,
): Promise<Result> {
  const { data, config } = readDataSettings(place, terminal.environment);
  const { log, close } = await openAudit(place, terminal);
  const store = new SqliteCredentialStore(data);
  const changes = new AuditedChanges(log, terminal.now);
  try {
    return await work(
      new AuditedCredentials({ store, changes, tenants: Object.keys(config.tenants), now: terminal.now }),
    );
  } finally {
    store.close();
    close();
  }
}

async function storedList(place: Place, terminal: Terminal): Promise<readonly Credential[]> {
  const items = await withStored(place, terminal, (credentials) => credentials.list());
  return items.map(({ match, kind, user, tenant, changed }) => ({
    match,
    kind,
    ...(user !== undefined && { user }),
    ...(tenant !== "" && { tenant }),
    changed: new Date(changed).toISOString(),
  }));
}

async function servedList(place: Place, terminal: Terminal): Promise<readonly Credential[]> {
  const answer = (await (await servedAt(place, terminal)).ask("GET", "/-/api/credentials")) as {
    readonly items: readonly Credential[];
  };
  return answer.items;
}

async function servedAt({ url = "", data }: Place, terminal: Terminal): Promise<ServedModfront> {
  if (data !== undefined) throw new CodedError("usage", "--url and --data name different places: which one?");
  return await ServedModfront.open(url, terminal);
}

function addressOf(match: string): string {
  return `/-/api/credentials/${match.split("/").map(encodeURIComponent).join("/")}`;
}

function row({ match, kind, user = "", tenant = "", changed }: Credential): string {
  return [match, kind, user, tenant, changed].map((cell) => printable(cell) || "-").join("\t");
}
