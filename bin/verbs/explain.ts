import { CodedError } from "../../lambda/golang/coded-error.ts";
import { check, checkPath, escapePath, escapeVersion } from "../../lambda/golang/module.ts";
import { printable } from "../../lambda/golang/shown-text.ts";
import { SqliteRulingStore } from "../../lambda/local/data/sqlite-ruling-store.ts";
import { readDataSettings } from "../../lambda/local/server/data-settings.ts";
import { type Explanation, explanationOf } from "../../lambda/proxy/policy/explanation.ts";
import { ServedModfront } from "./served-modfront.ts";
import { parseVerbArgs, type Terminal, type Verb } from "./verb.ts";

const options = {
  data: { type: "string" },
  config: { type: "string" },
  url: { type: "string" },
  json: { type: "boolean", default: false },
} as const;

/** `modfront explain`: what the policy and operators say of a module, and why a version is refused. */
export const explain: Verb = {
  usage: "MODULE[@VERSION] [--json]\n      with [--data FOLDER] [--config FILE], or --url URL for a running modfront",
  summary: "says whether a version may come in, by which rule, and what is blocked and excepted of its module",
  run: async (args, terminal) => {
    const { values, positionals } = parseVerbArgs(args, options, { least: 1, most: 1 });
    const [path = "", version] = (positionals[0] ?? "").split("@", 2);
    if (version === undefined) checkPath(path);
    else check(path, version);
    const explanation = await (values.url === undefined ? here : served)(values, { path, version }, terminal);
    if (values.json) terminal.print(JSON.stringify(explanation));
    else for (const line of linesOf(explanation)) terminal.print(printable(line));
    return 0;
  },
};

type Place = { readonly data?: string; readonly config?: string; readonly url?: string };
type Named = { readonly path: string; readonly version: string | undefined };

async function served({ url = "", data }: Place, { path, version }: Named, terminal: Terminal): Promise<Explanation> {
  if (data !== undefined) throw new CodedError("usage", "--url and --data name two places: which one?");
  const server = await ServedModfront.open(url, terminal);
  const name = escapePath(path) + (version === undefined ? "" : `@${escapeVersion(version)}`);
  return (await server.ask("GET", `/-/api/explain/${name}`)) as Explanation;
}

async function here(place: Place, { path, version }: Named, terminal: Terminal): Promise<Explanation> {
  const { data, config } = readDataSettings(place, terminal.environment);
  const store = new SqliteRulingStore(data);
  try {
    const rulings = await store.ofModule(path);
    return explanationOf(config.policy, { path, version, now: terminal.now(), rulings });
  } finally {
    store.close();
  }
}

function linesOf({ module, version, refusal, findings = [], rules, onlyListed, rulings }: Explanation): string[] {
  const verdict = version === undefined ? [] : (refusal ?? [`${module}@${version} may come in`]);
  return [
    ...verdict,
    ...findings.map(({ rule, reason }) => `not enforced: ${rule}: ${reason}`),
    ...rules.map(
      ({ rule, about, reason, mode }) =>
        `${rule} (${mode}) is about ${about}${reason === undefined ? "" : `: ${reason}`}`,
    ),
    ...(onlyListed ? ["policy.allow: what none of its rows is about may not come in"] : []),
    ...rulings.map(
      ({ kind, version: each = "all versions", reason, until }) =>
        `${kind} of ${each}${until === undefined ? "" : ` until ${until}`}: ${reason}`,
    ),
  ];
}
