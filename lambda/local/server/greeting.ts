import { netrcLine, ownSumdb, pasteLines, shellWord } from "../../console/paste-lines.ts";
import { localAccess } from "../access/local-access.ts";
import type { Settings } from "./settings.ts";

/** Returns what `npm start` prints when it listens: the lines to paste, and how to get a token where one is needed. */
export function greeting(settings: Settings, { url: address, gosumdb: ownLog }: Greeted): string {
  const { config } = settings;
  const lines = pasteLines({ address, privatePatterns: config.private, gosumdb: ownSumdb(config.sumdb.name), ownLog });
  const own =
    lines.length > 1
      ? ""
      : `Or with its own checksum database, which has private modules too:\n\n${indented([`export GOSUMDB=${shellWord(ownLog)}`])}\n`;
  return `modfront serves Go modules. Paste:\n\n${indented(lines)}\n${own}${tokenLines(settings, address)}`;
}

/** Of a server that listens. */
interface Greeted {
  readonly url: string;
  /** `"name+hash+key"` of its own checksum database. */
  readonly gosumdb: string;
}

function tokenLines(settings: Settings, address: string): string {
  const { anonymous, private: patterns } = localAccess(settings);
  if (anonymous === "all") return "";
  const served = anonymous === "public" ? "private modules are not served" : "nothing is served";
  const modules = patterns === "" ? "" : ` --modules ${shellWord(patterns)}`;
  const create = `npm run -s modfront -- token create --subject NAME${modules} --data ${shellWord(settings.data)}`;
  const netrc = netrcLine(address);
  const use =
    netrc === undefined
      ? "go sends tokens over https only: add --tls-cert and --tls-key, or put something before it that speaks TLS.\n\n"
      : `A line in ~/.netrc, with it in place of TOKEN:\n\n${indented([netrc])}\n`;
  return `Without a token ${served}. To make one:\n\n${indented([create])}\n${use}`;
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `    ${line}\n`).join("");
}
