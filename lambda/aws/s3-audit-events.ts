import { randomBytes } from "node:crypto";
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { type AuditEvent, formatAuditEvent } from "../access/audit/audit-event.ts";
import type { AuditLog } from "../access/audit/audit-log.ts";
import { auditPrefix } from "../proxy/store/layout.ts";
import { awsErrorStatus, orStoreFailed } from "./aws-failure.ts";

export interface S3AuditLogOptions {
  readonly client: Pick<S3Client, "send">;
  readonly bucket: string;
}

/** The audit log as who only adds to it has it, without a call that reads. */
export class S3AuditEvents implements Pick<AuditLog, "write"> {
  readonly #options: S3AuditLogOptions;

  constructor(options: S3AuditLogOptions) {
    this.#options = options;
  }

  async write(event: AuditEvent): Promise<void> {
    const { client, bucket } = this.#options;
    const put = new PutObjectCommand({
      Bucket: bucket,
      Key: auditKey(event.time, randomBytes(9).toString("hex")),
      Body: `${formatAuditEvent(event)}\n`,
      ContentType: "application/json",
      CacheControl: "no-store",
      IfNoneMatch: "*",
    });
    await orStoreFailed("writing the audit log", async () => {
      try {
        await client.send(put);
      } catch (error) {
        // Nobody else chose this name: the client has sent it twice, because an answer was lost.
        if (awsErrorStatus(error) !== 412) throw error;
      }
    });
  }
}

/** The last time that has four digits of a year. */
export const lastTime = Date.UTC(9999, 11, 31);

function auditKey(time: number, name: string): string {
  return `${placeOf(time)}-${name}.json`;
}

/** Before every key of this time, and after every key of an earlier one. */
export function placeOf(time: number): string {
  const text = new Date(Math.min(Math.max(time, 0), lastTime)).toISOString();
  const [year, month, day] = text.slice(0, 10).split("-");
  return `${auditPrefix}year=${year}/month=${month}/day=${day}/${text.replaceAll(/[-:]/g, "")}`;
}
