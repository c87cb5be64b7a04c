import { GetObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { type AuditEvent, parseAuditEvent } from "../access/audit/audit-event.ts";
import {
  type AuditLog,
  type AuditPage,
  type AuditQuestion,
  fitsQuestion,
  unfinishedOf,
} from "../access/audit/audit-log.ts";
import { CodedError } from "../golang/coded-error.ts";
import { auditPrefix } from "../proxy/store/layout.ts";
import { awsErrorStatus, orStoreFailed } from "./aws-failure.ts";
import { lastTime, placeOf, S3AuditEvents, type S3AuditLogOptions } from "./s3-audit-events.ts";

/** Objects that are read at once, and for one page: with what takes longer the page ends, and says where the next begins. */
const atOnce = 16;
const mostRead = 2000;

/**
 * Changes as objects that are only created, one for each event: `-/audit/year=2026/month=11/day=28/<time> <random>.json`.
 *
 * The bucket's policy refuses to overwrite one and to delete one, to everybody; they go by the bucket's lifecycle. The
 * path is what Athena takes for partitions, and the names are in the order of time, so that a question is a listing from
 * the place where it begins. Calls: `write` 1, a page of n events n and a listing.
 */
export class S3AuditLog implements AuditLog {
  readonly #options: S3AuditLogOptions;

  constructor(options: S3AuditLogOptions) {
    this.#options = options;
  }

  write(event: AuditEvent): Promise<void> {
    return new S3AuditEvents(this.#options).write(event);
  }

  async query(question: AuditQuestion): Promise<AuditPage> {
    const { since, until, limit, after } = question;
    const end = placeOf(until);
    let at = laterOf(placeOf(since), parsePlace(after));
    const events: AuditEvent[] = [];
    for (let read = 0; ; ) {
      const { keys, more } = await this.#list(at);
      for (let i = 0; i < keys.length; i += atOnce) {
        const some = keys.slice(i, i + atOnce).filter((key) => key < end);
        const found = await Promise.all(some.map((key) => this.#read(key)));
        for (const [j, event] of found.entries()) {
          at = some[j] as string;
          if (event === undefined || !fitsQuestion(event, question)) continue;
          events.push(event);
          if (events.length === limit) return { events, next: at.slice(auditPrefix.length) };
        }
        if (some.length < Math.min(atOnce, keys.length - i)) return { events };
        read += some.length;
        if (read >= mostRead) return { events, next: at.slice(auditPrefix.length) };
      }
      if (!more) return { events };
    }
  }

  async unfinished(since: number): Promise<readonly AuditEvent[]> {
    const events: AuditEvent[] = [];
    let after: string | undefined;
    do {
      const page: AuditPage = await this.query({ since, until: lastTime, limit: 1000, after });
      events.push(...page.events);
      after = page.next;
    } while (after !== undefined);
    return unfinishedOf(events);
  }

  async #list(after: string): Promise<{ readonly keys: readonly string[]; readonly more: boolean }> {
    const { client, bucket } = this.#options;
    const list = new ListObjectsV2Command({ Bucket: bucket, Prefix: auditPrefix, StartAfter: after });
    return await orStoreFailed("reading the audit log", async () => {
      const { Contents = [], IsTruncated } = await client.send(list);
      return { keys: Contents.flatMap(({ Key }) => (Key === undefined ? [] : [Key])), more: IsTruncated === true };
    });
  }

  /** An event; undefined for what the lifecycle has just removed, and for what is none. */
  async #read(key: string): Promise<AuditEvent | undefined> {
    const { client, bucket } = this.#options;
    return await orStoreFailed("reading the audit log", async () => {
      try {
        const object = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        return parseAuditEvent((await object.Body?.transformToString()) ?? "");
      } catch (error) {
        if (awsErrorStatus(error) === 404) return undefined;
        throw error;
      }
    });
  }
}

function laterOf(a: string, b: string): string {
  return a > b ? a : b;
}

/** A place is a key without what all keys begin with. */
function parsePlace(text: string | undefined): string {
  if (text === undefined) return "";
  const form = /^year=\d{4}\/month=\d\d\/day=\d\d\/\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{18}\.json$/;
  if (!form.test(text)) throw new CodedError("bad-page", "after: this is no page of the audit log");
  return auditPrefix + text;
}
