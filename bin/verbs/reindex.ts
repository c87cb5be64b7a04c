import { AuditedChanges } from "../../lambda/access/audit/audited-changes.ts";
import { lostLog, renumberedLog } from "../../lambda/local/data/opened-log.ts";
import { reindex } from "../../lambda/local/data/reindex.ts";
import { readDataSettings } from "../../lambda/local/server/data-settings.ts";
import { signedTreeSize, sumdbVerifier } from "../../lambda/proxy/checksums/known-sumdb.ts";
import { PrivateModules } from "../../lambda/proxy/sources/private-modules.ts";
import { actorHere, openAudit } from "./open-audit.ts";
import { logOpener } from "./open-own-log.ts";
import { parseVerbArgs, type Verb } from "./verb.ts";

/** `modfront reindex`: brings the index of a data folder in line with its files. */
export const reindexVerb: Verb = {
  usage: "[--data FOLDER] [--config FILE]",
  summary: "makes the index of a data folder anew from its files; replaces a damaged one (stop modfront first)",
  run: async (args, terminal) => {
    const { print, environment, now } = terminal;
    const { values } = parseVerbArgs(
      args,
      { data: { type: "string" }, config: { type: "string" } },
      { least: 0, most: 0 },
    );
    const { data, config } = readDataSettings(values, environment);
    const verifier = sumdbVerifier(config.sumdb.name);
    const readHead = (name: string, note: Uint8Array) =>
      name === verifier?.name ? signedTreeSize(verifier, note) : undefined;
    const modules = new PrivateModules(config.private);
    const isPrivate = (module: string) => modules.has(module);
    const openLog = await logOpener(data, config);
    const { log, close } = await openAudit(values, terminal);
    const audited = new AuditedChanges(log, now).run(actorHere(values), "index.reindex", async (intend) => {
      await intend({});
      return await reindex({ data, now: now(), readHead, isPrivate, openLog });
    });
    const counts = await audited.finally(close);
    print(`${counts.versions} versions: ${counts.added} added, ${counts.removed} removed`);
    if (counts.log?.kind === "restored")
      print(`${counts.log.records} records of the log were made anew from their copies`);
    if (counts.log?.kind === "renumbered") print(renumberedLog(counts.log.records));
    if (counts.log?.kind === "lost") print(lostLog(counts.log));
    if (counts.log === undefined) print("the log cannot be read: the next start says why");
    if (counts.unlogged > 0)
      print(`${counts.unlogged} private versions are visible when the next start has logged them`);
    if (counts.movedAside !== undefined) print(`the damaged index is kept as ${counts.movedAside}`);
    return 0;
  },
};
