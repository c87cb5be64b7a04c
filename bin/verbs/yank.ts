import { CodedError } from "../../lambda/golang/coded-error.ts";
import { check, escapePath, escapeVersion } from "../../lambda/golang/module.ts";
import { ServedModfront } from "./served-modfront.ts";
import { parseVerbArgs, type Terminal, type Verb } from "./verb.ts";

const options = {
  url: { type: "string" },
  reason: { type: "string" },
  json: { type: "boolean", default: false },
} as const;

/** `modfront yank`: hides a version of a private module from lists; who depends on it still gets it. */
export const yank: Verb = {
  usage: "MODULE@VERSION --reason TEXT --url URL [--json]",
  summary: "hides a version from list and latest; builds that name it go on",
  run: (args, terminal) => change(args, terminal, "PUT"),
};

/** `modfront unyank`: shows it again. */
export const unyank: Verb = {
  usage: "MODULE@VERSION --url URL [--json]",
  summary: "shows again what yank has hidden",
  run: (args, terminal) => change(args, terminal, "DELETE"),
};

async function change(args: readonly string[], terminal: Terminal, method: "PUT" | "DELETE"): Promise<number> {
  const { values, positionals } = parseVerbArgs(args, options, { least: 1, most: 1 });
  const { url, reason, json } = values;
  if (url === undefined) throw new CodedError("usage", "--url says at which modfront");
  if ((reason === undefined) === (method === "PUT"))
    throw new CodedError("usage", "--reason says why it is yanked, and nothing else");
  const [name = ""] = positionals;
  const at = name.lastIndexOf("@");
  if (at < 0) throw new CodedError("usage", "this takes a module with its version: corp.example/m@v1.2.3");
  const [path, version] = [name.slice(0, at), name.slice(at + 1)];
  check(path, version);
  const server = await ServedModfront.open(url, terminal);
  const address = `/-/api/yanks/${escapePath(path)}@${escapeVersion(version)}`;
  const answer = await server.ask(method, address, reason === undefined ? undefined : { reason });
  if (json) terminal.print(JSON.stringify(answer));
  terminal.note(`${path}@${version} is ${method === "PUT" ? "yanked" : "listed again"}`);
  return 0;
}
