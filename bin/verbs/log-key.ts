import { CodedError } from "../../lambda/golang/coded-error.ts";
import { openLogKey } from "../../lambda/local/data/log-key-file.ts";
import { logVerifierKey } from "../../lambda/local/data/opened-log.ts";
import { readDataSettings } from "../../lambda/local/server/data-settings.ts";
import { deployedHeads } from "./deployed-heads.ts";
import { askKey } from "./log-check.ts";
import { ServedModfront } from "./served-modfront.ts";
import { parseVerbArgs, type Terminal, type Verb } from "./verb.ts";

const options = {
  url: { type: "string" },
  data: { type: "string" },
  config: { type: "string" },
  stack: { type: "string" },
  json: { type: "boolean" },
} as const;

/** `modfront log key`: the line by which go checks everything against the log of a modfront. */
export const logKeyVerb: Verb = {
  usage: "[--url URL | --stack NAME | --data FOLDER] [--config FILE] [--json]",
  summary: "prints GOSUMDB=name+hash+key of a modfront's own log: of one that runs, of a deployment or a data folder",
  run: async (args, terminal) => {
    const { values } = parseVerbArgs(args, options, { least: 0, most: 0 });
    const places = [values.url, values.stack, values.data].filter((each) => each !== undefined);
    if (places.length > 1) throw new CodedError("usage", "--url, --stack and --data each name a place: which one?");
    const line = await keyOf(values, terminal);
    terminal.print(values.json ? JSON.stringify({ gosumdb: line }) : `GOSUMDB=${line}`);
    return 0;
  },
};

interface Place {
  readonly url?: string | undefined;
  readonly stack?: string | undefined;
  readonly data?: string | undefined;
  readonly config?: string | undefined;
}

async function keyOf(place: Place, terminal: Terminal): Promise<string> {
  if (place.url !== undefined) return await askKey(await ServedModfront.open(place.url, terminal));
  if (place.stack !== undefined) return (await deployedHeads(place.stack)).gosumdb;
  const { data, config } = readDataSettings(place, terminal.environment);
  return logVerifierKey(await openLogKey(data), config.log.name);
}
