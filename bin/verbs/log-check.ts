import { CodedError } from "../../lambda/golang/coded-error.ts";
import { newVerifier } from "../../lambda/golang/note.ts";
import { printable } from "../../lambda/golang/shown-text.ts";
import { checkLog } from "../../lambda/proxy/checksums/log-check.ts";
import { KeptHeads } from "./kept-heads.ts";
import { checkReport, Faults, formatReport, lieOf } from "./log-report.ts";
import { LoggedFiles } from "./logged-files.ts";
import { type Read, ServedModfront } from "./served-modfront.ts";
import { parseVerbArgs, type Verb } from "./verb.ts";

const options = { files: { type: "boolean" }, lookups: { type: "boolean" }, json: { type: "boolean" } } as const;

/** `modfront log check URL`: reads the whole log of a modfront as anyone can, and says what is wrong with it. */
export const logCheck: Verb = {
  usage: "URL [--lookups] [--files] [--json]",
  summary: "verifies the whole log of a modfront by public reads, and that it continues the one of the last check",
  run: async (args, terminal) => {
    const { values, positionals } = parseVerbArgs(args, options, { least: 1, most: 1 });
    const server = await ServedModfront.open(positionals[0] ?? "", terminal);
    const key = await askKey(server);
    const verifier = newVerifier(key);
    const heads = new KeptHeads(terminal);
    const kept = await heads.read(verifier.name);
    const faults = new Faults();
    const sameKey = kept === undefined || kept.key === key;
    if (!sameKey)
      faults.add(`the key of ${verifier.name} is not that of the last check: a new key would have a new name`);
    const files = new LoggedFiles(server, verifier, faults);
    const visits = [...(values.lookups ? [files.lookUp] : []), ...(values.files ? [files.check] : [])];
    await using _ = files;
    const findings = await checkLog({
      verifier,
      reads: { get: (path) => bytesOf(path, server.read(`/sumdb/${verifier.name}${path}`)) },
      kept: kept && sameKey ? Buffer.from(kept.note) : undefined,
      fault: (line) => faults.add(line),
      visit: (record) => files.visit(record, visits),
    });
    await files.finish();
    const lie = lieOf(findings.continuation);
    if (lie !== undefined) faults.add(lie);
    if (faults.count === 0) await heads.keep(verifier.name, { key, note: Buffer.from(findings.note).toString() });
    const report = checkReport(verifier.name, findings, {
      kept: kept?.note,
      faults,
      lookups: values.lookups ? files.lookups : undefined,
      files: values.files ? files.files : undefined,
    });
    terminal.write(values.json ? `${JSON.stringify(report, undefined, 2)}\n` : formatReport(report));
    return faults.count === 0 ? 0 : 1;
  },
};

/** The line that clients paste. Throws `CodedError` "no-log" where there is no log. */
export async function askKey(server: ServedModfront): Promise<string> {
  const bytes = await bytesOf("/-/gosumdb", server.read("/-/gosumdb"));
  if (bytes === undefined) throw new CodedError("no-log", "/-/gosumdb may not be read with this token");
  const line = printable(new TextDecoder().decode(bytes).split("\n", 1)[0] ?? "", 500);
  if (!line.includes("+")) throw new CodedError("no-log", "this modfront has no log of its own");
  return line;
}

async function bytesOf(path: string, reading: Promise<Read>): Promise<Uint8Array | undefined> {
  const read = await reading;
  if (read.kind === "absent") throw new CodedError("answer", `${path} is not there`);
  return read.kind === "read" ? read.bytes : undefined;
}
