import { CodedError } from "../../lambda/golang/coded-error.ts";
import { printable } from "../../lambda/golang/shown-text.ts";
import { type ApiReport, apiReport } from "../publish/api-report.ts";
import { makePublication, type Publication } from "../publish/publication.ts";
import { ScratchFolder } from "../publish/scratch-folder.ts";
import { upload } from "../publish/upload.ts";
import { ServedModfront } from "./served-modfront.ts";
import { parseVerbArgs, type Terminal, type Verb } from "./verb.ts";

const options = {
  version: { type: "string" },
  tag: { type: "string" },
  url: { type: "string" },
  api: { type: "boolean", default: false },
  "dry-run": { type: "boolean", default: false },
  json: { type: "boolean", default: false },
} as const;

/** `modfront publish`: gives a modfront a version of a module, out of a folder or a tag. */
export const publish: Verb = {
  usage:
    "[DIR] --version V | [DIR] --tag TAG, with [--json], and with --url URL [--api] [--dry-run], or --dry-run alone",
  summary:
    "publishes a version of the module in a folder, or what a tag of its repository is on; --api has gorelease compare its\n" +
    "      API with that of the release before",
  run: async (args, terminal) => {
    const { values, positionals } = parseVerbArgs(args, options, { least: 0, most: 1 });
    const { url, json, api } = values;
    const isDry = values["dry-run"];
    if (url === undefined && (!isDry || api)) throw new CodedError("usage", "--url says which modfront it is for");
    // First, so that nobody waits for a zip that goes nowhere.
    const server = url === undefined ? undefined : await ServedModfront.open(url, terminal);
    server?.destination("/");
    using folder = new ScratchFolder();
    const wanted = { directory: positionals[0] ?? ".", version: values.version, tag: values.tag };
    const made = await makePublication(wanted, terminal.environment, folder.path);
    const report = server && api ? await apiReport(server, made, terminal.environment, folder.path) : undefined;
    if (report !== undefined) describe(report, terminal);
    const publication = report === undefined ? made : { ...made, api: report };
    if (isDry || server === undefined) show(publication, json, terminal);
    else await send(server, publication, json, terminal);
    return 0;
  },
};

function show(publication: Publication, json: boolean, { print, note }: Terminal): void {
  const { module, files, size } = publication;
  const unpacked = files.reduce((total, file) => total + file.size, 0);
  if (!json) note(`${module.path}@${module.version}: ${files.length} files of ${unpacked} bytes, zipped ${size}`);
  const list = files.map((file) => `${String(file.size).padStart(12)}  ${file.path}`);
  const lines = json ? [JSON.stringify({ ...described(publication), files })] : [...list, ...sums(publication)];
  for (const line of lines) print(line);
}

async function send(
  server: ServedModfront,
  publication: Publication,
  json: boolean,
  terminal: Terminal,
): Promise<void> {
  const { isNew } = await upload(server, publication, terminal);
  const { path, version } = publication.module;
  terminal.note(`${path}@${version} ${isNew ? "is published" : "was published before, with the same bytes"}`);
  const shown = [...sums(publication), `go get ${path}@${version}`];
  for (const line of json ? [JSON.stringify({ ...described(publication), isNew })] : shown) terminal.print(line);
}

/** What was found of its API, for the person. */
function describe(report: ApiReport, { note }: Terminal): void {
  if (report.state === "not-run") note(`the API is not compared: ${report.why}`);
  else for (const line of report.text.trimEnd().split("\n")) note(printable(line));
}

/** The lines that go.sum has of it. */
function sums({ module: { path, version }, sum, goModSum }: Publication): readonly string[] {
  return [`${path} ${version} ${sum}`, `${path} ${version}/go.mod ${goModSum}`];
}

function described({ module, size, sum, goModSum, tag, commit, api }: Publication) {
  return { ...module, size, sum, goModSum, tag, commit, api };
}
