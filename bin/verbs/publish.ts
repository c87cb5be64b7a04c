import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import { makePublication, type Publication } from "../publish/publication.ts";
import { parseVerbArgs, type Terminal, type Verb } from "./verb.ts";

const options = {
  version: { type: "string" },
  tag: { type: "string" },
  "dry-run": { type: "boolean", default: false },
  json: { type: "boolean", default: false },
} as const;

/** `modfront publish`: makes the zip of a module's version, out of a folder or a tag, and says what is in it. */
export const publish: Verb = {
  usage: "[DIR] --version V | --tag TAG --dry-run [--json]",
  summary: "shows what would be published of the module in a folder, or of a tag of its repository",
  run: async (args, terminal) => {
    const { values, positionals } = parseVerbArgs(args, options, { least: 0, most: 1 });
    if (!values["dry-run"]) throw new CodedError("usage", "for now this shows what would be published: add --dry-run");
    const output = mkdtempSync(join(tmpdir(), "modfront-publish-"));
    try {
      const wanted = { directory: positionals[0] ?? ".", version: values.version, tag: values.tag };
      const publication = await makePublication(wanted, terminal.environment, output);
      show(publication, values.json, terminal);
      return 0;
    } finally {
      rmSync(output, { recursive: true, force: true });
    }
  },
};

function show(
  { module, files, size, sum, goModSum, tag, commit }: Publication,
  json: boolean,
  { print, note }: Terminal,
) {
  if (json) return print(JSON.stringify({ ...module, files, size, sum, goModSum, tag, commit }));
  for (const file of files) print(`${String(file.size).padStart(12)}  ${file.path}`);
  const unpacked = files.reduce((total, file) => total + file.size, 0);
  note(`${module.path}@${module.version}: ${files.length} files of ${unpacked} bytes, zipped ${size}`);
  print(`${module.path} ${module.version} ${sum}`);
  print(`${module.path} ${module.version}/go.mod ${goModSum}`);
}
