import { CodedError } from "../../lambda/golang/coded-error.ts";
import { printable } from "../../lambda/golang/shown-text.ts";
import { explain } from "../../lambda/proxy/store/explain.ts";
import { lookAtHead } from "./own-log-head.ts";
import { keptToken } from "./own-token.ts";
import { ServedModfront } from "./served-modfront.ts";
import { parseVerbArgs, type Terminal, type Verb } from "./verb.ts";

/** What one look at a modfront found; "off" is what it does not have and need not. */
interface Finding {
  readonly check: string;
  readonly state: "ok" | "off" | "FAIL";
  readonly what: string;
}

const ok = (check: string): Finding => ({ check, state: "ok", what: "" });
const failed = (check: string, what: string): Finding => ({ check, state: "FAIL", what });

interface Probe {
  readonly check: string;
  readonly path: string;
  /** What is wrong with the answer, or `undefined`. */
  readonly fault: (answer: Answer) => string | undefined;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

const status = (wanted: number) => (answer: Answer) =>
  answer.status === wanted ? undefined : `answered ${answer.status} instead of ${wanted}: ${firstLine(answer.body)}`;

const header = (name: string, wanted: RegExp) => (answer: Answer) =>
  wanted.test(answer.headers.get(name) ?? "")
    ? undefined
    : `${name} is ${printable(answer.headers.get(name) ?? "missing", 200)}`;

function all(...faults: readonly Probe["fault"][]): Probe["fault"] {
  return (answer) => faults.map((fault) => fault(answer)).find((fault) => fault !== undefined);
}

/** What is asked of a modfront, in the order a client would; the last ones only for a module version that was named. */
function probes(sumdb: string | undefined, module: string | undefined): readonly Probe[] {
  const path = sumdb === undefined ? "/-/gosumdb" : `/sumdb/${sumdb}/supported`;
  const database =
    sumdb === "off" ? [] : [{ check: "the checksum database goes through it", path, fault: status(200) }];
  const files = module === undefined ? [] : moduleProbes(module);
  return [
    { check: "it is up", path: "/-/live", fault: status(200) },
    { check: "it can serve", path: "/-/ready", fault: status(200) },
    ...database,
    { check: "upper-case letters are refused", path: "/github.com/Azure/x/@v/list", fault: status(400) },
    ...files,
  ];
}

function moduleProbes(module: string): readonly Probe[] {
  const at = module.lastIndexOf("@");
  const [path, version] = [module.slice(0, at), module.slice(at + 1)].map(escapeName);
  const immutable = header("cache-control", /immutable/);
  return [
    { check: `list of ${module.slice(0, at)}`, path: `/${path}/@v/list`, fault: status(200) },
    { check: `info of ${module}`, path: `/${path}/@v/${version}.info`, fault: all(status(200), immutable) },
    { check: `go.mod of ${module}`, path: `/${path}/@v/${version}.mod`, fault: all(status(200), immutable) },
  ];
}

function escapeName(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
}

function firstLine(text: string): string {
  return printable(text.split("\n", 1)[0] ?? "", 200);
}

/** `modfront doctor URL`: asks a running modfront what a client would, with the token of `login`, and says what is wrong. */
export const doctor: Verb = {
  usage: "URL [MODULE@VERSION] [--stack NAME]",
  summary: "checks a running modfront from outside, with one line for each thing that works or does not",
  run: async (args, terminal) => {
    const { positionals, values } = parseVerbArgs(args, { stack: { type: "string" } }, { least: 1, most: 2 });
    const [base = "", module] = positionals;
    if (!/^https?:\/\//.test(base) || !URL.canParse(base))
      throw new CodedError("usage", "doctor takes the URL of a modfront");
    if (module !== undefined && !/.@v/.test(module)) throw new CodedError("usage", "a module version is MODULE@vX.Y.Z");
    const server = base.replace(/\/+$/, "");
    const token = await keptToken(server, terminal);
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const findings: Finding[] = [];
    const line = await askGosumdb(server, headers);
    const named = line !== undefined && databaseLine.test(line) ? line : undefined;
    for (const probe of probes(named?.split("+")[0], module))
      findings.push(await ask(server + probe.path, headers, probe));
    if (line !== undefined) findings.push(await checkOwnLog(line, () => ServedModfront.open(server, terminal)));
    if (values.stack !== undefined) findings.push(await checkConcurrency(values.stack));
    return report(findings, terminal);
  },
};

/** Fewer than this, and a single cold build of a large program fills the account. */
const wantedConcurrency = 200;

/** Serve and fill functions share what the account may run at once, and a new account may run ten. */
async function checkConcurrency(stack: string): Promise<Finding> {
  const { readPlaces } = await import("../../lambda/aws/deployed-places.ts");
  const { readConcurrencyLimit } = await import("../../lambda/aws/account-concurrency.ts");
  const { functionName } = await import("../../lambda/config/env.ts");
  const places = await readPlaces(stack, functionName(stack, "control"));
  const limit = await readConcurrencyLimit(places.MODFRONT_PRIMARY_REGION ?? "us-east-1");
  const what = `${limit} invocations at once are too few for a team: ask for 1,000 under Service Quotas, AWS Lambda`;
  const check = "the account may run enough functions at once";
  return limit >= wantedConcurrency ? ok(check) : failed(check, what);
}

/** `name+hash+key` is what go is told; paths have the name alone. */
const databaseLine = /^[\w.-]+(\+[\w+/=]+)?$/;

/** Whether the head of its own log is signed with the key that it says. */
async function checkOwnLog(line: string, open: () => Promise<ServedModfront>): Promise<Finding> {
  if (!databaseLine.test(line)) return failed("it names its checksum database", `it says ${line}`);
  if (!line.includes("+")) return { check: "it has no log of its own", state: "off", what: "" };
  const check = `GOSUMDB=${line} verifies private modules too`;
  try {
    const { n } = await lookAtHead(await open(), line);
    return ok(`${check}: its log has ${n} records, and their head is signed`);
  } catch (error) {
    return failed(check, explain(error));
  }
}

/** What it says that GOSUMDB may be set to, "off" without a checksum database; `undefined` where it does not say. */
async function askGosumdb(server: string, headers: Readonly<Record<string, string>>): Promise<string | undefined> {
  try {
    const response = await fetch(`${server}/-/gosumdb`, { headers, signal: AbortSignal.timeout(50_000) });
    const line = firstLine(await response.text());
    return response.ok ? line : undefined;
  } catch {
    return undefined;
  }
}

async function ask(url: string, headers: Readonly<Record<string, string>>, probe: Probe): Promise<Finding> {
  try {
    const response = await fetch(url, { headers, redirect: "follow", signal: AbortSignal.timeout(50_000) });
    const answer = { status: response.status, headers: response.headers, body: await response.text() };
    const fault = probe.fault(answer);
    return fault === undefined ? ok(probe.check) : failed(probe.check, fault);
  } catch {
    return failed(probe.check, "no answer");
  }
}

function report(findings: readonly Finding[], { print }: Terminal): number {
  for (const { check, state, what } of findings)
    print(state === "FAIL" ? `FAIL  ${check}: ${what}` : `${state.padEnd(4)}  ${check}`);
  return findings.every(({ state }) => state !== "FAIL") ? 0 : 1;
}
