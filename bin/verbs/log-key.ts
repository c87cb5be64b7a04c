import { CodedError } from "../../lambda/golang/coded-error.ts";
import { openLogKey } from "../../lambda/local/data/log-key-file.ts";
import { logVerifierKey } from "../../lambda/local/data/opened-log.ts";
import { readDataSettings } from "../../lambda/local/server/data-settings.ts";
import { askKey } from "./log-check.ts";
import { ServedModfront } from "./served-modfront.ts";
import { parseVerbArgs, type Terminal, type Verb } from "./verb.ts";

const options = {
  url: { type: "string" },
  data: { type: "string" },
  config: { type: "string" },
  json: { type: "boolean" },
} as const;

/** `modfront log key`: the line by which go checks everything against the log of a modfront. */
export const logKeyVerb: Verb = {
  usage: "[--url URL] [--data FOLDER] [--config FILE] [--json]",
  summary: "prints GOSUMDB=name+hash+key of a modfront's own log: of one that runs (--url), or of a data folder",
  run: async (args, terminal) => {
    const { values } = parseVerbArgs(args, options, { least: 0, most: 0 });
    if (values.url !== undefined && values.data !== undefined)
      throw new CodedError("usage", "--url and --data name two places: which one?");
    const line = await keyOf(values, terminal);
    terminal.print(values.json ? JSON.stringify({ gosumdb: line }) : `GOSUMDB=${line}`);
    return 0;
  },
};

interface Place {
  readonly url?: string | undefined;
  readonly data?: string | undefined;
  readonly config?: string | undefined;
}

async function keyOf(place: Place, terminal: Terminal): Promise<string> {
  if (place.url !== undefined) return await askKey(await ServedModfront.open(place.url, terminal));
  const { data, config } = readDataSettings(place, terminal.environment);
  return logVerifierKey(await openLogKey(data), config.log.name);
}
