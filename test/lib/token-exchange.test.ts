import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { viewerCertificateHeaders } from "../../lambda/aws/viewer-certificate.ts";
import { skipWithoutOpenssl } from "../support/certificate.ts";
import { CertificateAuthority } from "../support/certificate-authority.ts";
import { dataFolder } from "../support/data-folder.ts";
import { propertiesOf, statementsOf, synthesise } from "../support/synthesis.ts";

// The function that gives tokens, as it is deployed, for two primaries.

interface DeployedFunction {
  readonly FunctionName?: string;
  readonly Environment?: { readonly Variables: Readonly<Record<string, unknown>> };
}

/** The headers that a policy lets through, by its name. */
function headersOf(template: ReturnType<typeof synthesise>["edge"], name: string): readonly string[] {
  const policies = propertiesOf<{
    OriginRequestPolicyConfig: { Name: string; HeadersConfig: { Headers: string[] } };
  }>(template, "AWS::CloudFront::OriginRequestPolicy");
  const found = policies.find(({ OriginRequestPolicyConfig }) => OriginRequestPolicyConfig.Name === name);
  return found?.OriginRequestPolicyConfig.HeadersConfig.Headers ?? assert.fail(name);
}

for (const region of ["us-east-1", "eu-central-1"]) {
  const { service, edge } = synthesise({ aws: { regions: [region] } });

  test(`primary ${region}: it reads one key and one secret, adds rows and events, and changes nothing`, () => {
    const rows = statementsOf(edge, "modfront-token").map(({ Action, Resource, Condition }) => {
      const keys = (Condition as { "ForAllValues:StringLike"?: Record<string, string[]> } | undefined)?.[
        "ForAllValues:StringLike"
      ];
      return [[Action].flat().join(), keys?.["dynamodb:LeadingKeys"], JSON.stringify(Resource)] as const;
    });
    const actions = [
      ...["cloudfront-keyvaluestore:GetKey", "dynamodb:PutItem", "logs:CreateLogStream,logs:PutLogEvents"],
      ...["s3:PutObject", "secretsmanager:GetSecretValue"],
    ];
    assert.deepEqual(rows.map(([action]) => action).sort(), actions);
    const resourceOf = (wanted: string) => rows.find(([action]) => action === wanted)?.[2] ?? "";
    assert.deepEqual(rows.find(([action]) => action === "dynamodb:PutItem")?.[1], ["j *"]);
    assert.match(resourceOf("dynamodb:PutItem"), new RegExp(`:dynamodb:${region}:.*:table/modfront"`));
    assert.match(resourceOf("s3:PutObject"), new RegExp(`-${region}/-/audit/\\*"`));
    assert.match(
      resourceOf("secretsmanager:GetSecretValue"),
      new RegExp(`:secretsmanager:${region}:.*:secret:modfront/edge-`),
    );
    assert.match(resourceOf("cloudfront-keyvaluestore:GetKey"), /KeyValues/);
  });

  test(`primary ${region}: signing keys are read by what gives tokens, administers and deploys, and by nothing that serves or fills`, () => {
    const readers = [service, edge].flatMap((template) =>
      propertiesOf<DeployedFunction>(template, "AWS::Lambda::Function").flatMap(({ FunctionName, Environment }) => {
        if (typeof FunctionName !== "string" || !FunctionName.startsWith("modfront-")) return [];
        const reads = statementsOf(template, FunctionName).some(({ Action }) =>
          /keyvaluestore/.test(JSON.stringify(Action)),
        );
        assert.equal(reads, Environment?.Variables.MODFRONT_KEY_VALUE_STORE !== undefined, FunctionName);
        return reads ? [FunctionName] : [];
      }),
    );
    assert.deepEqual(readers.sort(), ["modfront-admin", "modfront-control", "modfront-token"]);
  });

  test(`primary ${region}: anybody's requests for it are bounded before they cost a function`, () => {
    const stages = propertiesOf<{ RouteSettings?: unknown }>(edge, "AWS::ApiGatewayV2::Stage");
    assert.deepEqual(
      stages.map(({ RouteSettings }) => RouteSettings),
      [
        {
          "ANY /token/{path+}": { ThrottlingRateLimit: 20, ThrottlingBurstLimit: 20 },
          "ANY /webhook/{path+}": { ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 },
        },
      ],
    );
    assert.ok(
      propertiesOf<{ RouteSettings?: unknown }>(service, "AWS::ApiGatewayV2::Stage").every(
        (each) => !each.RouteSettings,
      ),
    );
    const [stage] = Object.values(edge.findResources("AWS::ApiGatewayV2::Stage"));
    for (const id of Object.keys(edge.findResources("AWS::ApiGatewayV2::Route")))
      assert.ok(stage?.DependsOn.includes(id), id);
  });

  test(`primary ${region}: where no certificates are asked for, none is told of`, () => {
    for (const name of ["modfront", "modfront-control", "modfront-exchange"])
      assert.ok(!headersOf(edge, name).some((header) => /cert/.test(header)), name);
    const [distribution] = propertiesOf<{ DistributionConfig: Record<string, unknown> }>(
      edge,
      "AWS::CloudFront::Distribution",
    );
    assert.deepEqual(
      [distribution?.DistributionConfig.ViewerMtlsConfig, distribution?.DistributionConfig.HttpVersion],
      [undefined, "http2and3"],
    );
  });

  test(`primary ${region}: viewers are asked for a certificate, and let in without one`, {
    skip: skipWithoutOpenssl,
  }, (t) => {
    const folder = dataFolder(t);
    const caBundle = new CertificateAuthority(folder, "ca").cert;
    const mtls = { rules: [{ subject: "CN=*.ci.corp.example" }] };
    const own = synthesise({ mtls, aws: { regions: [region], mtls: { caBundle } } }).edge;
    const [distribution] = propertiesOf<{ DistributionConfig: Record<string, unknown> }>(
      own,
      "AWS::CloudFront::Distribution",
    );
    const [[store = "", { Properties } = { Properties: {} }] = []] = Object.entries(
      own.findResources("AWS::CloudFront::TrustStore"),
    );
    const { ViewerMtlsConfig, HttpVersion } = distribution?.DistributionConfig ?? {};
    assert.deepEqual(ViewerMtlsConfig, {
      Mode: "optional",
      TrustStoreConfig: {
        TrustStoreId: { "Fn::GetAtt": [store, "Id"] },
        AdvertiseTrustStoreCaNames: true,
        IgnoreCertificateExpiry: false,
      },
    });
    assert.equal(HttpVersion, "http2");
    const { Bucket, Key, Region } = Properties.CaCertificatesBundleSource.CaCertificatesBundleS3Location;
    assert.deepEqual(
      [Region, /\.pem$/.test(Key), JSON.stringify(Bucket).includes("us-east-1")],
      ["us-east-1", true, true],
    );
    // Only the exchange is told: what CloudFront itself writes, and nothing that a client sends.
    assert.deepEqual(
      headersOf(own, "modfront-exchange").filter((header) => /cert/.test(header)),
      Object.values(viewerCertificateHeaders),
    );
    for (const name of ["modfront", "modfront-control"])
      assert.ok(!headersOf(own, name).some((header) => /cert/.test(header)), name);
  });
}

test("a bundle that has no authority is refused before anything is deployed", { skip: skipWithoutOpenssl }, (t) => {
  const folder = dataFolder(t);
  const [empty, authority] = [join(folder, "empty.pem"), new CertificateAuthority(folder, "ca")];
  writeFileSync(empty, "none\n");
  const { cert } = authority.issue({ subject: "/CN=client" });
  for (const caBundle of [empty, join(folder, "missing.pem"), cert])
    assert.throws(() => synthesise({ aws: { mtls: { caBundle } } }), /^Error: aws.mtls.caBundle: expected/);
});
