import assert from "node:assert/strict";
import { test } from "node:test";
import type { Template } from "aws-cdk-lib/assertions";
import { auditPrefix } from "../../lambda/proxy/store/layout.ts";
import { propertiesOf, statementsOf, synthesise } from "../support/synthesis.ts";

// Who can publish, block or fill cannot change what is written down of it: over every role there is, for two primaries.

/** What takes an object away, or puts another in its place, and what could take away the policy that forbids it. */
const changing =
  /^s3:(?:\*|Delete|Restore|Bypass|Replicate|ObjectOwner|Put(?:Object(?:Acl|Tagging|Retention|LegalHold|VersionAcl)|Bucket|Lifecycle|Replication|Encryption))/;

function rolesOf(template: Template): readonly string[] {
  const functions = propertiesOf<{ FunctionName?: string }>(template, "AWS::Lambda::Function");
  return functions.flatMap(({ FunctionName }) => (typeof FunctionName === "string" ? [FunctionName] : []));
}

/** True when objects that a statement names may be events: what comes before its star and their prefix fit. */
function reachesAudit(resource: unknown): boolean {
  return [resource].flat().some((each) => {
    const [, key] = /s3:::[^/]*\/([^"]*)/.exec(JSON.stringify(each)) ?? [];
    const prefix = key?.replace(/\*.*$/, "");
    return each === "*" || (prefix !== undefined && (auditPrefix.startsWith(prefix) || prefix.startsWith(auditPrefix)));
  });
}

/** The functions that change something, and so write down that they do. */
const adding: readonly string[] = ["modfront-admin", "modfront-publish", "modfront-token"];

for (const region of ["us-east-1", "eu-central-1"]) {
  const { service, edge } = synthesise({ aws: { regions: [region] } });
  for (const template of [service, edge]) {
    for (const name of rolesOf(template)) {
      test(`primary ${region}: ${name} can change no event of the audit log, and only who changes something can add one`, () => {
        const statements = statementsOf(template, name) as readonly {
          Action: string | string[];
          Resource: unknown;
          Effect: string;
        }[];
        const reaching = statements.filter(({ Resource }) => reachesAudit(Resource));
        const allowed = reaching.filter(({ Effect }) => Effect === "Allow").flatMap(({ Action }) => Action);
        assert.deepEqual(
          allowed.filter((action) => changing.test(action)),
          [],
        );
        const denied = reaching.filter(({ Effect }) => Effect === "Deny").flatMap(({ Action }) => Action);
        const adds = allowed.includes("s3:PutObject") && !denied.includes("s3:PutObject");
        assert.equal(adds, adding.includes(name), "adds events");
      });
    }
  }
}
