import { readFileSync } from "node:fs";
import { type Config, parseConfig } from "../../config/config.ts";
import { CodedError } from "../../golang/coded-error.ts";

/** Which data folder, and its configuration: what verbs need of the settings that `npm start` would use. */
export interface DataSettings {
  readonly data: string;
  readonly config: Config;
}

/** What was said of them at the terminal: a folder, and the name of a configuration file. */
export interface GivenData {
  readonly data?: string | undefined;
  readonly config?: string | undefined;
}

/** Reads them: what was given over the environment over defaults. Throws `CodedError` "config". */
export function readDataSettings(
  given: GivenData,
  environment: Readonly<Record<string, string | undefined>>,
): DataSettings {
  return {
    data: given.data ?? (environment.MODFRONT_DATA || ".modfront"),
    config: readConfigFile(given.config ?? (environment.MODFRONT_CONFIG || undefined)),
  };
}

/** A file that was named must be there; the one by the default name may be absent. */
function readConfigFile(named: string | undefined): Config {
  try {
    return parseConfig(readFileSync(named ?? "modfront.config.json", "utf8"));
  } catch (cause) {
    if (cause instanceof CodedError) throw cause;
    if (named === undefined && (cause as NodeJS.ErrnoException).code === "ENOENT") return parseConfig("{}");
    throw new CodedError("config", "the configuration file cannot be read", { cause });
  }
}
