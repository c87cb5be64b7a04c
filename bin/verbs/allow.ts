import { CodedError } from "../../lambda/golang/coded-error.ts";
import { check, checkPath, escapePath, escapeVersion } from "../../lambda/golang/module.ts";
import { ServedModfront } from "./served-modfront.ts";
import { parseVerbArgs, type Verb } from "./verb.ts";

const options = {
  url: { type: "string" },
  reason: { type: "string" },
  until: { type: "string" },
  end: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
} as const;

/** `modfront allow`: lets a version come in that the policy refuses, until the exception ends. */
export const allow: Verb = {
  usage: "MODULE[@VERSION] --reason TEXT [--until DAY] --url URL [--json], or with --end in place of a reason",
  summary: "lets in what the policy refuses, and takes that back; no block is overruled",
  run: async (args, terminal) => {
    const { values, positionals } = parseVerbArgs(args, options, { least: 1, most: 1 });
    const { url, reason, until, end, json } = values;
    if (url === undefined) throw new CodedError("usage", "--url says at which modfront");
    if (end === (reason !== undefined))
      throw new CodedError("usage", "--reason says why it is let in, or --end ends that");
    const [name = ""] = positionals;
    const [path = "", version] = name.split("@", 2);
    if (version === undefined) checkPath(path);
    else check(path, version);
    const server = await ServedModfront.open(url, terminal);
    const address = `/-/api/exceptions/${escapePath(path)}${version === undefined ? "" : `@${escapeVersion(version)}`}`;
    const body = { reason, ...(until !== undefined && { until }) };
    const answer = await (end ? server.ask("DELETE", address) : server.ask("PUT", address, body));
    if (json) terminal.print(JSON.stringify(answer));
    terminal.note(`${name} is ${end ? "as the policy has it again" : "let in"}, within seconds`);
    return 0;
  },
};
