import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AuditedChanges } from "../../lambda/access/audit/audited-changes.ts";
import { AuditedTokens } from "../../lambda/access/audited-tokens.ts";
import { changeHappened } from "../../lambda/access/settled-changes.ts";
import { isModulePattern } from "../../lambda/access/tenants.ts";
import type { TokenStore } from "../../lambda/access/token-store.ts";
import { functionName } from "../../lambda/config/env.ts";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import { splitPatterns } from "../../lambda/golang/module-pattern.ts";
import { SqliteTokenStore } from "../../lambda/local/access/sqlite-token-store.ts";
import { indexFile, openIndexDatabase } from "../../lambda/local/data/index-database.ts";
import { SqliteTreeHeadStore } from "../../lambda/local/data/sqlite-tree-head-store.ts";
import { readDataSettings } from "../../lambda/local/server/data-settings.ts";
import { isForkDecided } from "../../lambda/proxy/checksums/fork-evidence.ts";
import type { AccessPlace } from "./access-place.ts";
import { deployedHeads } from "./deployed-heads.ts";
import { openAudit } from "./open-audit.ts";
import type { Terminal } from "./verb.ts";

/** Returns the store of tokens that the flags name; without any, that of the data folder `npm start` would use. */
async function openTokenStore(place: AccessPlace, { environment }: Terminal): Promise<TokenStore> {
  const { data, config, stack } = place;
  if (stack !== undefined) {
    if (data !== undefined) throw new CodedError("usage", "--stack and --data name two places: which one?");
    const { openDeployedTokens } = await import("../../lambda/aws/open-deployed-tokens.ts");
    return await openDeployedTokens(stack, functionName(stack, "control"), {
      sleep: (milliseconds) => sleep(milliseconds),
    });
  }
  const settings = readDataSettings({ data, config }, environment);
  return new SqliteTokenStore(settings.data);
}

export interface OpenedTokens {
  readonly store: TokenStore;
  /** The changes, which are in the audit log before they happen. */
  readonly tokens: AuditedTokens;
  /** Writes down what became of changes whose process died. */
  readonly settle: () => Promise<void>;
  readonly close: () => void;
}

/**
 * Returns the tokens that the flags name, with their audit log. `modules` are patterns of a token that is to be made: of a
 * deployment the tenants that they name are asked for where it is, whatever is configured here.
 */
export async function openTokens(place: AccessPlace, terminal: Terminal, modules = ""): Promise<OpenedTokens> {
  const store = await openTokenStore(place, terminal);
  const { log, close } = await openAudit(place, terminal);
  const changes = new AuditedChanges(log, terminal.now);
  const tenants = await tenantsOf(place, terminal, modules);
  const now = () => Math.floor(terminal.now() / 1000);
  const tokens = new AuditedTokens({ store, changes, tenants, now });
  const happened = changeHappened(tokens.happened, (name) => forkDecided(place, terminal, name));
  return { store, tokens, settle: async () => void (await changes.settle(happened)), close };
}

/** Opened only where a decision about a fork was left by a process that died. */
async function forkDecided(place: AccessPlace, { environment }: Terminal, name: string): Promise<boolean | undefined> {
  if (place.stack !== undefined) return await isForkDecided((await deployedHeads(place.stack)).heads, name);
  const { data } = readDataSettings(place, environment);
  const database = openIndexDatabase(join(data, indexFile));
  try {
    return await isForkDecided(new SqliteTreeHeadStore(database), name);
  } finally {
    database.close();
  }
}

async function tenantsOf(place: AccessPlace, { environment }: Terminal, modules: string): Promise<readonly string[]> {
  const { stack } = place;
  if (stack === undefined) return Object.keys(readDataSettings(place, environment).config.tenants);
  const { readDeployedTenants } = await import("../../lambda/aws/deployed-tenants.ts");
  const named = splitPatterns(modules).filter((pattern) => !isModulePattern(pattern));
  return await readDeployedTenants(
    stack,
    functionName(stack, "control"),
    named.map((pattern) => pattern.slice(1)),
  );
}
