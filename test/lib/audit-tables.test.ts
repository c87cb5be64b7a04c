import assert from "node:assert/strict";
import { test } from "node:test";
import type { Template } from "aws-cdk-lib/assertions";
import { changesTable, requestsTable } from "../../lambda/access/audit/audit-tables.ts";
import { propertiesOf, synthesise } from "../support/synthesis.ts";

// What `modfront audit --stack` asks, for two primaries: the emulator has neither projection nor the delivery of access logs.

interface Table {
  readonly DatabaseName: string;
  readonly TableInput: {
    readonly Name: string;
    readonly Parameters: Readonly<Record<string, string>>;
    readonly PartitionKeys: readonly { readonly Name: string; readonly Type: string }[];
    readonly StorageDescriptor: {
      readonly Location: string;
      readonly Columns: readonly { readonly Name: string; readonly Type: string }[];
      readonly SerdeInfo: { readonly SerializationLibrary: string; readonly Parameters: Record<string, string> };
    };
  };
}

const account = "123456789012";

for (const region of ["us-east-1", "eu-central-1"]) {
  const { edge } = synthesise({ aws: { name: "go-corp", regions: [region] }, audit: { days: 30 } }, {}, account);
  const modules = `go-corp-${account}-${region}`;
  const logs = `go-corp-logs-${account}`;

  test(`primary ${region}: both tables project the folders in which lines lie`, () => {
    const tables = propertiesOf<Table>(edge, "AWS::Glue::Table");
    const places = {
      requests: `s3://${logs}/AWSLogs/aws-account-id=${account}/CloudFront/`,
      changes: `s3://${modules}/-/audit/`,
    };
    assert.deepEqual(tables.map(({ TableInput }) => TableInput.Name).sort(), Object.keys(places).sort());
    for (const { DatabaseName, TableInput } of tables) {
      const place = places[TableInput.Name as keyof typeof places];
      const { Location, Columns, SerdeInfo } = TableInput.StorageDescriptor;
      assert.deepEqual([DatabaseName, Location], ["go_corp_audit", place]);
      const { Parameters } = TableInput;
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Athena puts the partitions in.
      assert.equal(Parameters["storage.location.template"], `${place}${"year=${year}/month=${month}/day=${day}"}/`);
      assert.deepEqual([Parameters["projection.enabled"], Parameters["projection.month.digits"]], ["true", "2"]);
      assert.deepEqual([Parameters["projection.month.range"], Parameters["projection.day.range"]], ["1,12", "1,31"]);
      assert.deepEqual(
        TableInput.PartitionKeys,
        ["year", "month", "day"].map((Name) => ({ Name, Type: "string" })),
      );
      const table = TableInput.Name === "requests" ? requestsTable : changesTable;
      assert.deepEqual(
        Columns.map(({ Name }) => Name),
        table.columns,
      );
      assert.equal(SerdeInfo.SerializationLibrary, "org.openx.data.jsonserde.JsonSerDe");
    }
  });

  test(`primary ${region}: what CloudFront delivers is what the table has, as JSON by day`, () => {
    edge.hasResourceProperties("AWS::Logs::Delivery", {
      RecordFields: requestsTable.columns,
      S3EnableHiveCompatiblePath: true,
      S3SuffixPath: "{yyyy}/{MM}/{dd}",
    });
    edge.hasResourceProperties("AWS::Logs::DeliveryDestination", { OutputFormat: "json" });
  });

  test(`primary ${region}: a question reads 50 GiB at most, and its answer is kept a day`, () => {
    edge.hasResourceProperties("AWS::Athena::WorkGroup", {
      Name: "go-corp-audit",
      WorkGroupConfiguration: {
        EnforceWorkGroupConfiguration: true,
        BytesScannedCutoffPerQuery: 53_687_091_200,
        ResultConfiguration: {
          OutputLocation: `s3://${logs}/query-results/`,
          EncryptionConfiguration: { EncryptionOption: "SSE_S3" },
          ExpectedBucketOwner: account,
        },
      },
    });
    const [bucket] = propertiesOf<{ LifecycleConfiguration: { Rules: unknown } }>(edge, "AWS::S3::Bucket");
    assert.deepEqual(bucket?.LifecycleConfiguration.Rules, [
      { Id: "old", Prefix: "AWSLogs/", ExpirationInDays: 30, Status: "Enabled" },
      { Id: "answers", Prefix: "query-results/", ExpirationInDays: 1, Status: "Enabled" },
      {
        Id: "unfinished-uploads",
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
        Status: "Enabled",
      },
    ]);
  });

  test(`primary ${region}: nobody takes a line of the access logs away, and who asks writes nothing but answers`, () => {
    const [policy] = propertiesOf<Policy>(edge, "AWS::S3::BucketPolicy");
    const stays = policy?.PolicyDocument.Statement.find(({ Sid }) => Sid === "LogsStay");
    assert.deepEqual(
      [stays?.Effect, stays?.Principal, stays?.Action],
      ["Deny", { AWS: "*" }, ["s3:DeleteObject", "s3:DeleteObjectVersion"]],
    );
    assert.match(JSON.stringify(stays?.Resource), /\/AWSLogs\/\*/);
    const [asking] = propertiesOf<Policy>(edge, "AWS::IAM::ManagedPolicy");
    const writing = (asking?.PolicyDocument.Statement ?? []).filter(({ Action }) =>
      [Action].flat().some((action) => !/:(?:Get|List|Start|Stop)/.test(action)),
    );
    assert.deepEqual(
      writing.map(({ Action, Resource }) => [
        Action,
        JSON.stringify(Resource)
          .replace(/^.*:s3:::/, "")
          .replace(/".*$/, ""),
      ]),
      [[["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"], `${logs}/query-results/*`]],
    );
  });

  test(`primary ${region}: no function may ask, or reach a line of the access logs`, () => {
    const { service } = synthesise({ aws: { name: "go-corp", regions: [region] } }, {}, account);
    for (const template of [service, edge]) {
      const text = JSON.stringify(policiesOf(template));
      assert.doesNotMatch(text, /athena:|glue:|go-corp-logs|query-results/);
    }
  });
}

interface Policy {
  readonly PolicyDocument: {
    readonly Statement: readonly {
      readonly Sid?: string;
      readonly Effect: string;
      readonly Action: string | readonly string[];
      readonly Principal?: unknown;
      readonly Resource: unknown;
    }[];
  };
}

function policiesOf(template: Template): readonly Policy[] {
  return propertiesOf<Policy>(template, "AWS::IAM::Policy");
}
