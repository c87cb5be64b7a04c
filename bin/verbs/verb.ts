import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { CodedError } from "../../lambda/golang/coded-error.ts";

/** What a verb is given of the process it runs in. */
export interface Terminal {
  /** A line of the result, for stdout. */
  readonly print: (line: string) => void;
  /** A result that is not lines of text for a person, for stdout as it is. */
  readonly write: (text: string) => void;
  /** A line for the person, for stderr. */
  readonly note: (line: string) => void;
  /** Shows how far something is in place of what this showed before, nothing with ""; only where a person looks on. */
  readonly progress: (line: string) => void;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** As `process.platform`. */
  readonly platform: string;
  /** The first line of what is piped in; nothing of what would have to be typed. */
  readonly readLine: () => Promise<string>;
  /** What is piped in, or else typed after `prompt`, without showing it. */
  readonly readSecret: (prompt: string) => Promise<string>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** One verb of the CLI. `run` returns the exit code: 0 done, 1 failed; usage errors are thrown as `CodedError` "usage". */
export interface Verb {
  readonly usage: string;
  readonly summary: string;
  readonly run: (args: readonly string[], terminal: Terminal) => Promise<number>;
}

/** The flags and words of a verb. Throws `CodedError` "usage" for a flag it does not have or the wrong number of words. */
export function parseVerbArgs<const Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
  words: { readonly least: number; readonly most: number },
) {
  try {
    const parsed = parseArgs({ args: [...args], options, strict: true, allowPositionals: true });
    const { length } = parsed.positionals;
    if (length >= words.least && length <= words.most) return parsed;
  } catch (cause) {
    throw new CodedError("usage", (cause as Error).message.split("\n")[0] ?? "wrong usage", { cause });
  }
  throw new CodedError("usage", "wrong number of words: see modfront help");
}
