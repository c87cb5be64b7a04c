import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import { makePublication, type Publication } from "../publish/publication.ts";
import { upload } from "../publish/upload.ts";
import { ServedModfront } from "./served-modfront.ts";
import { parseVerbArgs, type Terminal, type Verb } from "./verb.ts";

const options = {
  version: { type: "string" },
  tag: { type: "string" },
  url: { type: "string" },
  "dry-run": { type: "boolean", default: false },
  json: { type: "boolean", default: false },
} as const;

/** `modfront publish`: gives a modfront a version of a module, out of a folder or a tag. */
export const publish: Verb = {
  usage: "[DIR] --version V | --tag TAG, with --url URL or --dry-run, and [--json]",
  summary: "publishes a version of the module in a folder, or what a tag of its repository is on",
  run: async (args, terminal) => {
    const { values, positionals } = parseVerbArgs(args, options, { least: 0, most: 1 });
    const isDry = values["dry-run"];
    if (!isDry && values.url === undefined) throw new CodedError("usage", "--url says to which modfront");
    // First, so that nobody waits for a zip that goes nowhere.
    const server = isDry ? undefined : await ServedModfront.open(values.url ?? "", terminal);
    server?.destination("/");
    const output = mkdtempSync(join(tmpdir(), "modfront-publish-"));
    try {
      const wanted = { directory: positionals[0] ?? ".", version: values.version, tag: values.tag };
      const publication = await makePublication(wanted, terminal.environment, output);
      if (server === undefined) show(publication, values.json, terminal);
      else await send(server, publication, values.json, terminal);
      return 0;
    } finally {
      rmSync(output, { recursive: true, force: true });
    }
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

/** The lines that go.sum has of it. */
function sums({ module: { path, version }, sum, goModSum }: Publication): readonly string[] {
  return [`${path} ${version} ${sum}`, `${path} ${version}/go.mod ${goModSum}`];
}

function described({ module, size, sum, goModSum, tag, commit }: Publication) {
  return { ...module, size, sum, goModSum, tag, commit };
}
