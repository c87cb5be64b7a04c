import { AthenaClient, GetWorkGroupCommand } from "@aws-sdk/client-athena";
import { S3Client } from "@aws-sdk/client-s3";
import type { AuditLog } from "../access/audit/audit-log.ts";
import { auditDatabase, auditWorkgroup } from "../access/audit/audit-tables.ts";
import { QueriedAudit } from "../access/audit/queried-audit.ts";
import { CodedError } from "../golang/coded-error.ts";
import type { Clock } from "../proxy/store/clock.ts";
import { AthenaQueries } from "./athena-queries.ts";
import { awsErrorName } from "./aws-failure.ts";
import { edgeRegion, readPlaces } from "./deployed-places.ts";
import { S3AuditEvents } from "./s3-audit-events.ts";
import { S3AuditLog } from "./s3-audit-log.ts";

/**
 * Opens the audit log of a deployment's changes by its name, with the AWS credentials at hand.
 *
 * Throws as `openDeployedTokens` does, and `CodedError` "no-such-stack" where a deployment is too old to have one.
 */
export async function openDeployedAudit(name: string, controlFunction: string): Promise<AuditLog> {
  const { MODFRONT_PRIMARY_REGION, MODFRONT_BUCKET } = await readPlaces(name, controlFunction);
  if (MODFRONT_PRIMARY_REGION === undefined || MODFRONT_BUCKET === undefined) {
    throw new CodedError(
      "no-such-stack",
      "this deployment has no audit log yet: deploy this version of modfront first",
    );
  }
  return openAuditLog(MODFRONT_BUCKET, MODFRONT_PRIMARY_REGION);
}

/** The same to be added to only. */
export function openAuditEvents(bucket: string, region: string): Pick<AuditLog, "write"> {
  return new S3AuditEvents({ client: new S3Client({ region }), bucket });
}

/** The audit log in this bucket of this region. */
export function openAuditLog(bucket: string, region: string): AuditLog {
  return new S3AuditLog({ client: new S3Client({ region }), bucket });
}

/** Changes and fetches of the deployment called `name` by SQL; undefined where it has no tables of them. */
export async function openQueriedAudit(
  name: string,
  clock: Pick<Clock, "now" | "sleep">,
): Promise<QueriedAudit | undefined> {
  const client = new AthenaClient({ region: edgeRegion });
  const workgroup = auditWorkgroup(name);
  try {
    await client.send(new GetWorkGroupCommand({ WorkGroup: workgroup }));
  } catch (error) {
    if (awsErrorName(error) === "InvalidRequestException") return undefined;
    const message = "the deployment's tables cannot be asked for: do the AWS credentials have the permission?";
    throw new CodedError("stack-unavailable", message, { cause: error });
  }
  return new QueriedAudit(new AthenaQueries({ client, workgroup, database: auditDatabase(name), clock }));
}
