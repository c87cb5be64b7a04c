import { CodedError } from "../../lambda/golang/coded-error.ts";
import { logCheck } from "./log-check.ts";
import { logFork } from "./log-fork.ts";
import { logKeyVerb } from "./log-key.ts";
import type { Verb } from "./verb.ts";

const words: Readonly<Record<string, Verb>> = { key: logKeyVerb, check: logCheck, fork: logFork };

const rows = Object.entries(words);

/** `modfront log …`: our own checksum database, and what is to be done about that of others. */
export const logVerb: Verb = {
  usage: rows.map(([word, { usage }]) => `${word} ${usage}`).join("\n  modfront log "),
  summary: rows.map(([word, { summary }]) => `${word}: ${summary}`).join("\n      "),
  run: async ([word = "", ...rest], terminal) => {
    const verb = Object.hasOwn(words, word) ? words[word] : undefined;
    if (verb === undefined)
      throw new CodedError("usage", `log takes one of the words ${Object.keys(words).join(", ")}`);
    return await verb.run(rest, terminal);
  },
};
