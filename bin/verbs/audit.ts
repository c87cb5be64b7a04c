import { type AuditEvent, formatAuditEvent, parseAuditEvent } from "../../lambda/access/audit/audit-event.ts";
import type { AuditPage, AuditQuestion } from "../../lambda/access/audit/audit-log.ts";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import { printable } from "../../lambda/golang/shown-text.ts";
import { openAnswers } from "./open-audit.ts";
import { openTokens } from "./open-tokens.ts";
import { ServedModfront } from "./served-modfront.ts";
import { parseVerbArgs, type Terminal, type Verb } from "./verb.ts";

const options = {
  data: { type: "string" },
  config: { type: "string" },
  stack: { type: "string" },
  url: { type: "string" },
  module: { type: "string" },
  who: { type: "string" },
  action: { type: "string" },
  since: { type: "string", default: "30d" },
  until: { type: "string" },
  json: { type: "boolean" },
} as const;

/** `modfront audit`: who did what, as a table or as JSON lines. */
export const audit: Verb = {
  usage:
    "[--module M[@V]] [--who SUBJECT|TOKEN|TENANT] [--action A] [--since 30d|2026-01-31] [--until TIME] [--json]\n" +
    "      with [--data FOLDER] [--config FILE], --stack NAME for a deployment on AWS, or --url URL",
  summary: "shows who fetched or changed what, the oldest first",
  run: async (args, terminal) => {
    const { values } = parseVerbArgs(args, options, { least: 0, most: 0 });
    if (values.url === undefined) {
      // First, so that what is settled now is among what is asked for.
      const opened = await openTokens(values, terminal);
      await opened.settle().finally(opened.close);
    }
    const [module, version] = (values.module || undefined)?.split("@") ?? [];
    const question: AuditQuestion = {
      ...{ module, version, who: values.who || undefined, action: values.action || undefined },
      since: readTime("since", values.since, terminal.now()),
      until: values.until === undefined ? terminal.now() + 1 : readTime("until", values.until, terminal.now()),
      limit: 1000,
    };
    if (values.url !== undefined) {
      const server = await ServedModfront.open(values.url, terminal);
      await print(question, servedPages(server), { ...terminal, json: values.json === true });
      return 0;
    }
    const { ask, close } = await openAnswers(values, terminal);
    try {
      await print(question, ask, { ...terminal, json: values.json === true });
      return 0;
    } finally {
      close();
    }
  },
};

/** Pages of the log of a running modfront. */
function servedPages(server: ServedModfront): (question: AuditQuestion) => Promise<AuditPage> {
  return async ({ module, version, who, action, since, until, limit, after }) => {
    const named = { module: version === undefined ? module : `${module}@${version}`, who, action, after };
    const times = { since: new Date(since).toISOString(), until: new Date(until).toISOString(), limit: String(limit) };
    const query = new URLSearchParams(times);
    for (const [name, value] of Object.entries(named)) if (value !== undefined) query.set(name, value);
    const page = (await server.ask("GET", `/-/api/audit?${query}`)) as { items: readonly unknown[]; next?: string };
    const events = page.items.flatMap((item) => parseAuditEvent(JSON.stringify(item)) ?? []);
    return { events, ...(page.next !== undefined && { next: page.next }) };
  };
}

async function print(
  question: AuditQuestion,
  ask: (question: AuditQuestion) => Promise<AuditPage>,
  { json, print, note }: Pick<Terminal, "print" | "note"> & { readonly json: boolean },
): Promise<void> {
  if (!json) note(["TIME", "WHO", "TOKEN", "FROM", "ACTION", "WHAT", "DECISION", "RULE", "TIMES"].join("\t"));
  let after: string | undefined;
  do {
    const { events, next } = await ask({ ...question, after });
    for (const event of events) print(json ? formatAuditEvent(event) : row(event));
    after = next;
  } while (after !== undefined);
}

function row(event: AuditEvent): string {
  const { time, subject, token, address, action, module, version, target, decision, rule, count } = event;
  const what = module === "" ? target : version === "" ? module : `${module}@${version}`;
  const cells = [new Date(time).toISOString(), subject, token, address, action, what, decision, rule, String(count)];
  return cells.map((cell) => printable(cell) || "-").join("\t");
}

const units: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };

/** Reads a time: RFC 3339, a day, or how long ago: `"90m"`, `"36h"`, `"30d"`, `"4w"`. */
function readTime(flag: string, text: string, now: number): number {
  const [, number, unit] = /^(\d{1,5})([mhdw])$/.exec(text) ?? [];
  if (number !== undefined && unit !== undefined) return now - Number(number) * (units[unit] ?? 0);
  const time = /^\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw new CodedError("usage", `--${flag} is a time, a day (2026-01-31) or how long ago (36h, 30d)`);
}
