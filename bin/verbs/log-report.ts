import type { Continuation, LogFindings } from "../../lambda/proxy/checksums/log-check.ts";

/** Lines that are kept of what is wrong; all are counted. */
const mostFaults = 100;

/** What is wrong: all of it is counted, and as much kept as anybody reads. */
export class Faults {
  readonly lines: string[] = [];
  count = 0;

  add(line: string): void {
    this.count++;
    if (this.lines.length < mostFaults) this.lines.push(line);
  }
}

const said: Readonly<Record<Continuation, string>> = {
  first: "checked here for the first time",
  same: "the same as at the last check",
  extends: "which continue those of the last check",
  rollback: "which are fewer than at the last check",
  fork: "which are not those of the last check",
};

/** What a log says that is not the one it was; `undefined` for any other. */
export function lieOf(continuation: Continuation): string | undefined {
  if (continuation === "fork")
    return "FORK: the log does not continue the one of the last check, and both heads are signed with its key";
  if (continuation === "rollback")
    return "ROLLBACK: the log has fewer records than at the last check (a cache may keep a head for a minute: check again)";
  return undefined;
}

export interface CheckedParts {
  /** The signed head of the last check. */
  readonly kept: string | undefined;
  readonly faults: Faults;
  readonly lookups: { readonly right: number; readonly unreadable: number } | undefined;
  readonly files: { readonly right: number; readonly absent: number; readonly unreadable: number } | undefined;
}

/** What a check found, as `--json` prints it. */
export function checkReport(log: string, findings: LogFindings, { kept, faults, lookups, files }: CheckedParts) {
  const { tree, note, continuation, records, unreadable, tiles } = findings;
  const lie = lieOf(continuation) !== undefined;
  return {
    log,
    size: Number(tree.n),
    root: Buffer.from(tree.hash).toString("base64"),
    continuation,
    records,
    unreadable,
    tiles,
    ...(lookups && { lookups }),
    ...(files && { files }),
    faults: faults.count,
    faultLines: faults.lines,
    ...(lie && { heads: { kept, now: Buffer.from(note).toString() } }),
  };
}

/** The same for people. */
export function formatReport(report: ReturnType<typeof checkReport>): string {
  const { log, size, root, continuation, records, unreadable, tiles, lookups, files, heads } = report;
  const lines = [
    `${log}: ${size} records under ${root}, ${said[continuation]}`,
    `${tiles} tiles and ${records} records are right${report.faults === 0 ? "" : " but for what follows"}; ${unreadable} records may not be read with this token`,
  ];
  if (lookups) lines.push(`${lookups.right} lookups lead to their records; ${lookups.unreadable} may not be made`);
  if (files)
    lines.push(
      `${files.right} versions have the hashes of the log, ${files.absent} are not stored, ${files.unreadable} may not be read`,
    );
  lines.push(...report.faultLines.map((fault) => `FAIL  ${fault}`));
  if (report.faults > report.faultLines.length)
    lines.push(`FAIL  and ${report.faults - report.faultLines.length} more`);
  if (heads) lines.push(`the head of the last check:\n\n${heads.kept}`, `the head of now:\n\n${heads.now}`);
  lines.push(report.faults === 0 ? "ok" : `faults: ${report.faults}`);
  return `${lines.join("\n")}\n`;
}
