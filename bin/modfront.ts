import { fileURLToPath } from "node:url";
import { CodedError, isCodedError } from "../lambda/golang/coded-error.ts";
import { doctor } from "./verbs/doctor.ts";
import { logVerb } from "./verbs/log.ts";
import { reindexVerb } from "./verbs/reindex.ts";
import type { Verb } from "./verbs/verb.ts";

// The CLI: results on stdout, everything else on stderr; exit codes 0 done, 1 failed, 2 wrong usage or configuration.

const verbs: Readonly<Record<string, Verb>> = {
  reindex: reindexVerb,
  log: logVerb,
  doctor,
};

function help(): string {
  const lines = Object.entries(verbs).map(
    ([name, { usage, summary }]) => `  modfront ${name} ${usage}\n      ${summary}`,
  );
  return `usage: modfront VERB …\n\n${lines.join("\n")}\n`;
}

async function run(args: readonly string[]): Promise<number> {
  const [name = "", ...rest] = args;
  if (["help", "--help", "-h"].includes(name)) {
    process.stdout.write(help());
    return 0;
  }
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (verb === undefined) throw new CodedError("usage", `there is no verb ${JSON.stringify(name)}\n\n${help()}`);
  return verb.run(rest, {
    print: (line) => process.stdout.write(`${line}\n`),
    note: (line) => process.stderr.write(`${line}\n`),
    environment: process.env,
    now: () => Date.now(),
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  run(process.argv.slice(2)).then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      process.stderr.write(`modfront: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = isCodedError<string>(error, "usage", "config") ? 2 : 1;
    },
  );
}
