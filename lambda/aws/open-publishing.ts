import { randomUUID } from "node:crypto";
import { S3Client } from "@aws-sdk/client-s3";
import type { IdentityKeys } from "./identity-keys.ts";
import { S3AuditLog } from "./s3-audit-log.ts";
import { S3Uploads } from "./s3-uploads.ts";

/** What the function that publishes writes to in this bucket, of its own region: the audit log, and zips that wait. */
export function openPublishing(bucket: string, keys: IdentityKeys) {
  const client = new S3Client({ requestChecksumCalculation: "WHEN_REQUIRED" });
  return {
    audit: new S3AuditLog({ client, bucket }),
    uploads: new S3Uploads({ client, bucket, keys, name: randomUUID }),
  };
}
