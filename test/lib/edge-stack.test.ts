import assert from "node:assert/strict";
import { test } from "node:test";
import { Match } from "aws-cdk-lib/assertions";
import { channelHeader, requestHeader, viaHeader, viewerHeader } from "../../lambda/edge/cloudfront.ts";
import { credentialsHeader } from "../../lambda/edge/decide.ts";
import { identityHeader } from "../../lambda/edge/identity.ts";
import {
  type ControlName,
  controlPatterns,
  patterns,
  probes,
  publishingPatterns,
  type RouteName,
} from "../../lambda/edge/routes.ts";
import { bundleEdge } from "../../lib/edge-bundle.ts";
import { originPathOf } from "../../lib/origins.ts";
import { propertiesOf, synthesise } from "../support/synthesis.ts";

const { edge } = synthesise();

interface Behavior {
  readonly PathPattern?: string;
  readonly TargetOriginId: string;
  readonly CachePolicyId: { readonly Ref: string } | string;
  readonly OriginRequestPolicyId: { readonly Ref: string };
  readonly ResponseHeadersPolicyId: { readonly Ref: string };
  readonly AllowedMethods: readonly string[];
  readonly Compress: boolean;
  readonly ViewerProtocolPolicy: string;
  readonly FunctionAssociations: readonly {
    readonly EventType: string;
    readonly FunctionARN: { readonly "Fn::GetAtt": readonly string[] };
  }[];
}

interface Origin {
  readonly Id: string;
  readonly DomainName: unknown;
  readonly OriginPath?: string;
  readonly ConnectionAttempts: number;
  readonly ConnectionTimeout: number;
  readonly CustomOriginConfig?: { readonly OriginReadTimeout: number; readonly OriginProtocolPolicy: string };
  readonly S3OriginConfig?: unknown;
  readonly OriginAccessControlId?: unknown;
}

interface Group {
  readonly Id: string;
  readonly Members: { readonly Items: readonly { readonly OriginId: string }[] };
  readonly FailoverCriteria: { readonly StatusCodes: { readonly Items: readonly number[] } };
}

interface Distribution {
  readonly DistributionConfig: {
    readonly CacheBehaviors: readonly Behavior[];
    readonly DefaultCacheBehavior: Behavior;
    readonly Origins: readonly Origin[];
    readonly OriginGroups: { readonly Items: readonly Group[] };
    readonly CustomErrorResponses: readonly { readonly ErrorCode: number; readonly ErrorCachingMinTTL: number }[];
    readonly HttpVersion: string;
    readonly IPV6Enabled: boolean;
    readonly Aliases?: readonly string[];
    readonly ViewerCertificate?: { readonly MinimumProtocolVersion: string };
    readonly WebACLId?: unknown;
  };
}

function configOf(template = edge): Distribution["DistributionConfig"] {
  const [distribution] = propertiesOf<Distribution>(template, "AWS::CloudFront::Distribution");
  assert.ok(distribution);
  return distribution.DistributionConfig;
}

const config = configOf();
const controlling: readonly string[] = [...Object.values(controlPatterns), ...Object.values(publishingPatterns)];
const behaviors = [...config.CacheBehaviors, config.DefaultCacheBehavior];

/** The origins of a behaviour in the order in which they are tried. */
function originsOf(behavior: Behavior | undefined): readonly (Origin | undefined)[] {
  const group = config.OriginGroups.Items.find(({ Id }) => Id === behavior?.TargetOriginId);
  const ids = group?.Members.Items.map(({ OriginId }) => OriginId) ?? [behavior?.TargetOriginId];
  return ids.map((id) => config.Origins.find((origin) => origin.Id === id));
}

test("the behaviours are the patterns of the route table, in its order, and the default last", () => {
  const order = behaviors.map(({ PathPattern }) => PathPattern ?? "*");
  assert.deepEqual(order, [
    ...[probes.ready, ...Object.values(publishingPatterns), ...Object.values(controlPatterns)],
    ...[...Object.values(patterns), "*"],
  ]);
  assert.ok(order.indexOf("/sumdb/*") < order.indexOf("*.zip"));
});

test("what lies under /-/ has a function of its own; the other one is before everything else", () => {
  const functions = new Map(
    behaviors.map((each) => [each.PathPattern ?? "*", each.FunctionAssociations[0]?.FunctionARN]),
  );
  const codes = new Map(
    Object.entries(edge.findResources("AWS::CloudFront::Function")).map(([id, { Properties }]) => [
      id,
      Properties.FunctionCode,
    ]),
  );
  const codeOf = (pattern: string) => codes.get(functions.get(pattern)?.["Fn::GetAtt"][0] ?? "");
  for (const pattern of functions.keys())
    assert.equal(
      codeOf(pattern),
      pattern.startsWith("/-/") ? bundleEdge("site", "none") : bundleEdge("protocol", "private"),
      pattern,
    );
});

test("every behaviour decides at the edge and sends identity, request id, wait and channel outside the cache key", () => {
  for (const behavior of behaviors) {
    assert.deepEqual(
      behavior.FunctionAssociations.map(({ EventType }) => EventType),
      ["viewer-request"],
    );
    assert.equal(behavior.ViewerProtocolPolicy, "redirect-to-https");
    if (!controlling.includes(behavior.PathPattern ?? "*"))
      assert.deepEqual(behavior.OriginRequestPolicyId, behaviors[0]?.OriginRequestPolicyId);
  }
  edge.hasResourceProperties("AWS::CloudFront::OriginRequestPolicy", {
    OriginRequestPolicyConfig: {
      HeadersConfig: {
        HeaderBehavior: "whitelist",
        Headers: [identityHeader, "x-modfront-request", "x-modfront-wait", viaHeader],
      },
      QueryStringsConfig: { QueryStringBehavior: "none" },
      CookiesConfig: { CookieBehavior: "none" },
    },
  });
});

test("what administers, and gives tokens, is told what it needs of a request; it keeps nothing, behind an API of its own", () => {
  const shown = ["accept", "content-type", "user-agent"];
  const told = {
    admin: { headers: [identityHeader, requestHeader, viewerHeader, ...shown], query: "all" },
    token: { headers: [identityHeader, requestHeader, credentialsHeader, viewerHeader, ...shown], query: "none" },
    // Whatever a host signs with, and not whom CloudFront is called.
    webhook: { headers: ["host"], query: "none" },
  };
  const policies = edge.findResources("AWS::CloudFront::OriginRequestPolicy");
  const [site] = originsOf(behaviors.find(({ PathPattern }) => PathPattern === "/-/*"));
  for (const [name, pattern] of Object.entries(controlPatterns) as [ControlName, string][]) {
    const behavior = behaviors.find(({ PathPattern }) => PathPattern === pattern);
    const { HeadersConfig, QueryStringsConfig, CookiesConfig } =
      policies[behavior?.OriginRequestPolicyId.Ref ?? ""]?.Properties.OriginRequestPolicyConfig ?? {};
    assert.deepEqual(HeadersConfig.Headers, told[name].headers);
    assert.equal(QueryStringsConfig.QueryStringBehavior, told[name].query);
    assert.equal(CookiesConfig.CookieBehavior, "none");
    const origins = originsOf(behavior);
    assert.deepEqual(
      origins.map((origin) => [origin?.OriginPath, origin?.ConnectionAttempts]),
      [[originPathOf(name), 1]],
    );
    assert.notDeepEqual(origins[0]?.DomainName, site?.DomainName);
  }
  const keys = propertiesOf<{ RouteKey: string }>(edge, "AWS::ApiGatewayV2::Route").map(({ RouteKey }) => RouteKey);
  assert.deepEqual(
    keys,
    Object.keys(controlPatterns).map((name) => `ANY ${originPathOf(name)}/{path+}`),
  );
});

test("what publishes is told the same, keeps nothing, and is beside fill, behind the API of modules", () => {
  const [admin, site] = [controlPatterns.admin, patterns.site].map((pattern) =>
    behaviors.find(({ PathPattern }) => PathPattern === pattern),
  );
  for (const [name, pattern] of Object.entries(publishingPatterns)) {
    const behavior = behaviors.find(({ PathPattern }) => PathPattern === pattern);
    assert.deepEqual(behavior?.OriginRequestPolicyId, admin?.OriginRequestPolicyId);
    assert.deepEqual(behavior?.CachePolicyId, site?.CachePolicyId);
    const [origin, ...others] = originsOf(behavior);
    assert.deepEqual([origin?.OriginPath, origin?.ConnectionAttempts, others], [originPathOf(name), 1, []]);
    assert.deepEqual(origin?.DomainName, originsOf(site)[0]?.DomainName);
  }
});

test("all methods reach the function, but for origin groups, with which CloudFront allows reading only", () => {
  const reading = behaviors.filter(({ AllowedMethods }) => AllowedMethods.length < 7);
  assert.deepEqual(
    reading.map(({ PathPattern }) => PathPattern),
    ["*.info", "*.mod", "*.zip"],
  );
  for (const { AllowedMethods } of reading) assert.deepEqual(AllowedMethods, ["GET", "HEAD", "OPTIONS"]);
});

for (const name of ["info", "mod", "zip"] as const) {
  test(`${name} is looked for in the bucket first, then asked of the API under its own origin path`, () => {
    const [files, api] = originsOf(config.CacheBehaviors.find(({ PathPattern }) => PathPattern === `*.${name}`));
    assert.deepEqual([files?.ConnectionAttempts, files?.ConnectionTimeout, files?.OriginPath], [1, 3, undefined]);
    assert.ok(files?.S3OriginConfig && files.OriginAccessControlId);
    assert.deepEqual([api?.OriginPath, api?.ConnectionAttempts], [`/${name}`, 1]);
  });
}

test("a bucket without the file, without permission or in trouble hands over to the API", () => {
  assert.equal(config.OriginGroups.Items.length, 3);
  for (const { FailoverCriteria } of config.OriginGroups.Items)
    assert.deepEqual(FailoverCriteria.StatusCodes.Items, [403, 404, 500, 502, 503, 504]);
});

test("everything else goes to the API alone, over TLS, and may take as long as the API can", () => {
  const rows = [...(Object.entries(patterns) as [RouteName, string][]), ["site", "*"], ["site", probes.ready]] as const;
  for (const [name, pattern] of rows) {
    const origins = originsOf(behaviors.find(({ PathPattern }) => (PathPattern ?? "*") === pattern));
    const api = origins.at(-1);
    assert.equal(api?.OriginPath, originPathOf(name));
    assert.deepEqual(api?.CustomOriginConfig?.OriginReadTimeout, 35);
    assert.equal(api?.CustomOriginConfig?.OriginProtocolPolicy, "https-only");
    if (!["info", "mod", "zip"].includes(name)) assert.equal(origins.length, 1);
  }
});

test("no error is kept by CloudFront's own rules: what a header does not allow is asked again", () => {
  const statuses = config.CustomErrorResponses.map(({ ErrorCode }) => ErrorCode);
  assert.deepEqual(statuses, [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504]);
  for (const { ErrorCachingMinTTL } of config.CustomErrorResponses) assert.equal(ErrorCachingMinTTL, 0);
});

test("caches keep what the header says, up to the kind's limit, under the path, and by channel what differs by it", () => {
  const policies = edge.findResources("AWS::CloudFront::CachePolicy");
  const rows = behaviors.map(({ PathPattern = "*", CachePolicyId, Compress }) => {
    if (typeof CachePolicyId === "string") return [PathPattern, CachePolicyId, Compress];
    const {
      MinTTL,
      DefaultTTL,
      MaxTTL,
      ParametersInCacheKeyAndForwardedToOrigin: key,
    } = policies[CachePolicyId.Ref]?.Properties.CachePolicyConfig ?? {};
    assert.deepEqual([MinTTL, DefaultTTL], PathPattern === probes.ready ? [5, 5] : [0, 0]);
    const isByChannel = ["*/@v/list", "*/@latest", "*.info"].includes(PathPattern);
    assert.deepEqual(
      key.HeadersConfig,
      isByChannel ? { HeaderBehavior: "whitelist", Headers: [channelHeader] } : { HeaderBehavior: "none" },
    );
    assert.equal(key.QueryStringsConfig.QueryStringBehavior, "none");
    assert.equal(key.CookiesConfig.CookieBehavior, "none");
    assert.equal(key.EnableAcceptEncodingGzip, Compress);
    return [PathPattern, MaxTTL, Compress];
  });
  const year = 365 * 86_400;
  const disabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
  assert.deepEqual(rows, [
    ["/-/ready", 5, true],
    ["/-/publish/*", disabled, true],
    ["/-/api/yanks/*", disabled, true],
    ["/-/api/*", disabled, true],
    ["/-/token", disabled, true],
    ["/-/webhook/*", disabled, true],
    ["/-/*", disabled, true],
    ["/sumdb/*", year, true],
    ["*/@v/list", 86_400, true],
    ["*/@latest", 86_400, true],
    ["*.info", year, true],
    ["*.mod", year, true],
    ["*.zip", year, false],
    ["*", disabled, true],
  ]);
});

test("who came over https once is told to stay there: the one redirect from http has shown a token to the network", () => {
  edge.resourceCountIs("AWS::CloudFront::ResponseHeadersPolicy", 1);
  edge.hasResourceProperties("AWS::CloudFront::ResponseHeadersPolicy", {
    ResponseHeadersPolicyConfig: {
      SecurityHeadersConfig: {
        StrictTransportSecurity: { AccessControlMaxAgeSec: 365 * 86_400, IncludeSubdomains: false, Override: true },
      },
    },
  });
  const [policy] = Object.keys(edge.findResources("AWS::CloudFront::ResponseHeadersPolicy"));
  for (const { ResponseHeadersPolicyId } of behaviors) assert.deepEqual(ResponseHeadersPolicyId, { Ref: policy });
});

test("logs are delivered once the bucket's policy lets them be", () => {
  const [delivery] = Object.values(edge.findResources("AWS::Logs::Delivery"));
  const [policy = ""] = Object.keys(edge.findResources("AWS::S3::BucketPolicy"));
  assert.ok(delivery?.DependsOn.includes(policy));
});

test("HTTP/3 and IPv6 are on; requests are logged without headers and query strings, for audit.days", () => {
  assert.deepEqual([config.HttpVersion, config.IPV6Enabled], ["http2and3", true]);
  const [delivery] = propertiesOf<{ readonly RecordFields: readonly string[] }>(edge, "AWS::Logs::Delivery");
  assert.ok(delivery?.RecordFields.includes("x-edge-request-id"));
  for (const field of delivery?.RecordFields ?? []) assert.doesNotMatch(field, /query|cookie|header|referer|host/i);
  edge.hasResourceProperties("AWS::S3::Bucket", {
    LifecycleConfiguration: {
      Rules: Match.arrayWith([Match.objectLike({ ExpirationInDays: 400, Prefix: "AWSLogs/" })]),
    },
  });
});

test("the key of the edge is in no template: a function carries it from its secret", () => {
  edge.hasResourceProperties("AWS::CloudFront::KeyValueStore", { Name: "modfront" });
  const [store] = propertiesOf(edge, "AWS::CloudFront::KeyValueStore");
  assert.ok(store && !("ImportSource" in store));
  // Before the edge function is changed, and after all else is.
  edge.resourceCountIs("Custom::EdgeKeyValues", 2);
  assert.doesNotMatch(JSON.stringify(edge.toJSON()), /resolve:secretsmanager/);
});

test("a domain brings its certificate and TLS 1.2, and records where the zone is known", () => {
  const zone = { id: "Z0123456789", name: "corp.example" };
  const { edge: own } = synthesise({ aws: { domain: { name: "go.corp.example", hostedZone: zone } } });
  assert.deepEqual(configOf(own).Aliases, ["go.corp.example"]);
  assert.equal(configOf(own).ViewerCertificate?.MinimumProtocolVersion, "TLSv1.2_2021");
  own.hasResourceProperties("AWS::CertificateManager::Certificate", { DomainName: "go.corp.example" });
  const types = propertiesOf(own, "AWS::Route53::RecordSet").map(({ Type }) => Type);
  assert.deepEqual(types, ["A", "AAAA"]);
  own.hasOutput("GoProxy", { Value: "https://go.corp.example" });
});

test("the firewall is there when it is asked for", () => {
  assert.equal(config.WebACLId, undefined);
  const { edge: guarded } = synthesise({ aws: { firewall: true } });
  assert.ok(configOf(guarded).WebACLId);
  guarded.hasResourceProperties("AWS::WAFv2::WebACL", { Scope: "CLOUDFRONT" });
});

test("the outputs are the address and the lines to paste, which are the same for private modules", () => {
  const { edge: own, service } = synthesise({
    private: "go.corp.example/*",
    aws: { domain: { name: "p.corp.example", certificateArn: "arn:aws:acm:us-east-1:1:certificate/x" } },
  });
  own.hasOutput("Paste", {
    Value:
      "go env -w GOPROXY=https://p.corp.example && " +
      'go env -w GOSUMDB="$(curl -fsSn https://p.corp.example/-/gosumdb)"',
  });
  const [[, { Value } = {}] = []] = Object.entries(service.findOutputs("Gosumdb"));
  const [id, attribute] = Value["Fn::GetAtt"];
  assert.deepEqual([Object.keys(service.findResources("Custom::Log")), attribute], [[id], "Gosumdb"]);
  // What another stack imports could not change any more.
  assert.deepEqual(
    Object.keys(service.findOutputs("*")).filter((name) => name.startsWith("Export") && name.includes(id)),
    [],
  );
  own.hasOutput("Netrc", { Value: "machine p.corp.example login modfront password TOKEN" });
  assert.deepEqual(synthesise({ access: { anonymous: "all" } }).edge.findOutputs("Netrc"), {});
});
