import { join } from "node:path";
import { AuditedChanges } from "../../lambda/access/audit/audited-changes.ts";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import { indexFile, openIndexDatabase } from "../../lambda/local/data/index-database.ts";
import { SqliteTreeHeadStore } from "../../lambda/local/data/sqlite-tree-head-store.ts";
import { readDataSettings } from "../../lambda/local/server/data-settings.ts";
import { type Fork, keepOurs, readFork } from "../../lambda/proxy/checksums/fork-evidence.ts";
import { sumdbVerifier } from "../../lambda/proxy/checksums/known-sumdb.ts";
import type { TreeHeadStore } from "../../lambda/proxy/store/tree-head-store.ts";
import type { AccessPlace } from "./access-place.ts";
import { deployedHeads } from "./deployed-heads.ts";
import { actorHere, openAudit } from "./open-audit.ts";
import { parseVerbArgs, type Terminal, type Verb } from "./verb.ts";

const options = {
  data: { type: "string" },
  config: { type: "string" },
  stack: { type: "string" },
  "keep-ours": { type: "boolean" },
} as const;

/** `modfront log fork`: what to do after a checksum database has shown two logs that contradict each other. */
export const logFork: Verb = {
  usage: "[--keep-ours] [--stack NAME | --data FOLDER] [--config FILE]",
  summary: "shows both heads after a fork of the checksum database; --keep-ours goes on with the one verified so far",
  run: async (args, terminal) => {
    const { print, environment } = terminal;
    const { values } = parseVerbArgs(args, options, { least: 0, most: 0 });
    const { stack } = values;
    if (stack !== undefined && values.data !== undefined)
      throw new CodedError("usage", "--stack and --data name two places: which one?");
    const { data, config } = readDataSettings(values, environment);
    const name = sumdbVerifier(config.sumdb.name)?.name;
    if (name === undefined) throw new CodedError("usage", "no checksum database is configured");
    const audited = (change: () => Promise<boolean>) => writtenDown(values, name, change, terminal);
    const decision = { keep: values["keep-ours"] === true, print, audited };
    if (stack !== undefined) return await decide((await deployedHeads(stack)).heads, name, decision);
    const database = openIndexDatabase(join(data, indexFile));
    try {
      return await decide(new SqliteTreeHeadStore(database), name, decision);
    } finally {
      database.close();
    }
  },
};

interface Decision {
  readonly keep: boolean;
  /** Runs a change, which is in the audit log before. */
  readonly audited: (change: () => Promise<boolean>) => Promise<boolean>;
}

async function writtenDown(
  place: AccessPlace,
  target: string,
  change: () => Promise<boolean>,
  terminal: Terminal,
): Promise<boolean> {
  const { log, close } = await openAudit(place, terminal);
  const changes = new AuditedChanges(log, terminal.now);
  const decided = changes.run(actorHere(place), "log.keep-ours", async (intend) => {
    await intend({ target });
    return await change();
  });
  return await decided.finally(close);
}

/** Exit code 1 while a fork waits for its decision, so that a script notices. */
async function decide(
  heads: TreeHeadStore,
  name: string,
  { keep, print, audited }: Pick<Terminal, "print"> & Decision,
): Promise<number> {
  const fork = await readFork(heads, name);
  if (fork === undefined) {
    print(`${name} has not forked`);
    return 0;
  }
  show(fork, print);
  if (fork.decided || (keep && (await audited(() => keepOurs(heads, name))))) {
    print(`decided: public modules are fetched, and verified under our head of ${name}`);
    return 0;
  }
  print("undecided: no public module is fetched; --keep-ours goes on with ours");
  return 1;
}

function show({ ours, theirs }: Fork, print: (line: string) => void): void {
  print(`ours, under which everything stored here was verified:\n\n${ours}`);
  print(`theirs, signed with the same key and not a continuation of it:\n\n${theirs}`);
}
