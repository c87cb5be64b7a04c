import type { ModuleVersion } from "../../lambda/proxy/store/layout.ts";
import type { LogRecord } from "../../lambda/proxy/store/log-store.ts";
import type { LoggedRecord, RecordLog, RecordReads } from "../../lambda/proxy/store/record-log.ts";
import { ServedError } from "../../lambda/proxy/store/served-error.ts";

const name = ({ path, version }: ModuleVersion) => `${path}@${version}`;

/** Our own log as intake and lookups know it, without a tree: what was appended is signed at once. */
export class MemoryRecordLog implements RecordLog, Pick<RecordReads, "lookup"> {
  /** By `path@version`, in the order of their numbers. */
  readonly records = new Map<string, LogRecord>();
  /** What was left to the background. */
  readonly waiting: LogRecord[] = [];

  async append(records: readonly LogRecord[]): Promise<readonly bigint[]> {
    await new Promise((resolve) => setImmediate(resolve));
    for (const record of records)
      if (!this.records.has(name(record.module))) this.records.set(name(record.module), Object.freeze(record));
    for (const { module, zip, goMod } of records) {
      const standing = this.records.get(name(module));
      if (standing?.zip !== zip || standing.goMod !== goMod)
        throw new ServedError("record-mismatch", `${name(module)} is ${standing?.zip}, not ${zip}`);
    }
    return records.map(({ module }) => BigInt([...this.records.keys()].indexOf(name(module))));
  }

  async enqueue(records: readonly LogRecord[]): Promise<void> {
    this.waiting.push(...records);
  }

  async lookup(module: ModuleVersion): Promise<LoggedRecord | undefined> {
    const { path, version } = module;
    const record = this.records.get(name(module));
    if (record === undefined) return undefined;
    const text = Buffer.from(`${path} ${version} ${record.zip}\n${path} ${version}/go.mod ${record.goMod}\n`);
    const number = BigInt([...this.records.keys()].indexOf(name(module)));
    return { number, text, head: { size: BigInt(this.records.size), note: Buffer.from("a signed note") } };
  }
}
