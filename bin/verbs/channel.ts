import { AuditedChanges } from "../../lambda/access/audit/audited-changes.ts";
import { AuditedChannels } from "../../lambda/access/audited-channels.ts";
import type { ChannelStates } from "../../lambda/access/channel-states.ts";
import { functionName } from "../../lambda/config/env.ts";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import { printable } from "../../lambda/golang/shown-text.ts";
import { SqliteChannelStates } from "../../lambda/local/access/sqlite-channel-states.ts";
import { readDataSettings } from "../../lambda/local/server/data-settings.ts";
import { chosenChannels } from "../../lambda/proxy/channels/channel-parts.ts";
import type { ShownChannel } from "../../lambda/proxy/channels/channel-rows.ts";
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

type Places = AccessPlace & { readonly url?: string | undefined };

/** A channel as it is shown over HTTP: the time as text. */
type Shown = Omit<ShownChannel, "rolledBack"> & { readonly rolledBack?: string };

/** What can be done with channels, wherever they are. */
interface Channels {
  list(): Promise<readonly Shown[]>;
  rollback(name: string): Promise<unknown>;
  restore(name: string): Promise<unknown>;
}

async function withChannels(place: Places, terminal: Terminal, work: (channels: Channels) => Promise<void>) {
  const { url, data, stack } = place;
  if (url === undefined) return await withStored(place, terminal, work);
  if (data !== undefined || stack !== undefined)
    throw new CodedError("usage", "--url, --stack and --data name different places: which one?");
  const server = await ServedModfront.open(url, terminal);
  const address = (name: string) => `/-/api/channels/${encodeURIComponent(name)}/rollback`;
  await work({
    list: async () => ((await server.ask("GET", "/-/api/channels")) as { readonly items: readonly Shown[] }).items,
    rollback: (name) => server.ask("PUT", address(name)),
    restore: (name) => server.ask("DELETE", address(name)),
  });
}

async function withStored(place: AccessPlace, terminal: Terminal, work: (channels: Channels) => Promise<void>) {
  const { states, close: closeStates } = await openStates(place, terminal);
  const { log, close } = await openAudit(place, terminal);
  const changes = new AuditedChanges(log, terminal.now);
  const channels = new AuditedChannels({ states, changes, now: () => Math.floor(terminal.now() / 1000) });
  try {
    await changes.settle(channels.happened);
    await work({
      list: async () => (await channels.list()).map(shown),
      rollback: (name) => channels.rollBack(actorHere(place), name),
      restore: (name) => channels.restore(actorHere(place), name),
    });
  } finally {
    closeStates();
    close();
  }
}

function shown({ rolledBack, ...channel }: ShownChannel): Shown {
  return { ...channel, ...(rolledBack !== undefined && { rolledBack: new Date(rolledBack * 1000).toISOString() }) };
}

async function openStates(
  place: AccessPlace,
  { environment }: Terminal,
): Promise<{ readonly states: ChannelStates; readonly close: () => void }> {
  const { stack, data } = place;
  if (stack === undefined) {
    const settings = readDataSettings(place, environment);
    const states = new SqliteChannelStates(settings.data, chosenChannels(settings.config.channels));
    return { states, close: () => states.close() };
  }
  if (data !== undefined) throw new CodedError("usage", "--stack and --data name two places: which one?");
  const { openChannelStates } = await import("../../lambda/aws/deployed-channel-states.ts");
  return { states: await openChannelStates(stack, functionName(stack, "control")), close: () => {} };
}

type Action = (args: readonly string[], terminal: Terminal) => Promise<void>;

const list: Action = async (args, terminal) => {
  const { values } = parseVerbArgs(args, places, { least: 0, most: 0 });
  await withChannels(values, terminal, async (channels) => {
    if (!values.json) terminal.note(["NAME", "SHARE", "HEADER", "STATE"].join("\t"));
    for (const each of await channels.list()) terminal.print(values.json ? JSON.stringify(each) : row(each));
  });
};

function row({ name, share, header, rolledBack }: Shown): string {
  const chosen = header === undefined ? "-" : `${header.name}: ${header.value}`;
  const state = rolledBack === undefined ? "on" : `rolled back ${rolledBack.slice(0, 16)}Z`;
  return [name, String(share), chosen, state].map((cell) => printable(cell)).join("\t");
}

function change(verb: "rollback" | "restore", line: (name: string) => string): Action {
  return async (args, terminal) => {
    const { values, positionals } = parseVerbArgs(args, places, { least: 1, most: 1 });
    const [name = ""] = positionals;
    await withChannels(values, terminal, async (channels) => {
      await channels[verb](name);
      if (values.json) terminal.print(JSON.stringify((await channels.list()).find((each) => each.name === name)));
    });
    terminal.note(line(printable(name)));
  };
}

const actions: Readonly<Record<string, Action>> = {
  list,
  rollback: change("rollback", (name) => `channel ${name} is the default one to everybody within seconds`),
  restore: change("restore", (name) => `channel ${name} is itself again within seconds`),
};

/** `modfront channel …`: which channels there are, and an end to one without a deployment. */
export const channel: Verb = {
  usage:
    "list | rollback NAME | restore NAME\n" +
    "      each with [--json], and with [--data FOLDER] [--config FILE], or --stack NAME for a deployment on AWS, or --url\n" +
    "      URL for a running modfront and the token of MODFRONT_TOKEN or of modfront login",
  summary: "shows the channels, and makes one the default to everybody at once, or itself again",
  run: async ([name = "", ...args], terminal) => {
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined) throw new CodedError("usage", `channel takes ${Object.keys(actions).join(", ")}`);
    await action(args, terminal);
    return 0;
  },
};
