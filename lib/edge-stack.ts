import { CfnOutput, Duration, Stack, type StackProps, Validations } from "aws-cdk-lib";
import { Certificate, CertificateValidation, type ICertificate } from "aws-cdk-lib/aws-certificatemanager";
import {
  AllowedMethods,
  type BehaviorOptions,
  type CfnDistribution,
  Distribution,
  FunctionEventType,
  HttpVersion,
  OriginRequestHeaderBehavior,
  OriginRequestPolicy,
  OriginRequestQueryStringBehavior,
  ResponseHeadersPolicy,
  S3OriginAccessControl,
  SecurityPolicyProtocol,
  Signing,
  ViewerProtocolPolicy,
} from "aws-cdk-lib/aws-cloudfront";
import { AaaaRecord, ARecord, HostedZone, type IHostedZone, RecordTarget } from "aws-cdk-lib/aws-route53";
import { CloudFrontTarget } from "aws-cdk-lib/aws-route53-targets";
import { Bucket } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import { cacheTagHeader } from "../lambda/aws/cache-tag.ts";
import { viewerCertificateHeaders } from "../lambda/aws/viewer-certificate.ts";
import type { Config } from "../lambda/config/config.ts";
import { requestHeader, viaHeader, viewerHeader, waitHeader } from "../lambda/edge/cloudfront.ts";
import { credentialsHeader } from "../lambda/edge/decide.ts";
import { identityHeader } from "../lambda/edge/identity.ts";
import {
  type ControlName,
  controlPatterns,
  gosumdbAddress,
  type Keeping,
  type ProtocolRouteName,
  type PublishingName,
  patterns,
  probes,
  publishingPatterns,
  type RouteName,
  routes,
} from "../lambda/edge/routes.ts";
import { AccessLogs } from "./access-logs.ts";
import { Administration } from "./administration.ts";
import { Alerts, alarmRows } from "./alerts.ts";
import { AuditTables } from "./audit-tables.ts";
import { CachePolicies } from "./cache-policies.ts";
import { ChannelRollback } from "./channel-rollback.ts";
import type { EdgePlane } from "./edge-bundle.ts";
import { EdgeFunctions } from "./edge-functions.ts";
import { Firewall } from "./firewall.ts";
import type { Names } from "./names.ts";
import { OriginApi } from "./origin-api.ts";
import { apiOrigin, isStored, originFinder } from "./origins.ts";
import { Purging } from "./purging.ts";
import { exchangeRate, TokenExchange } from "./token-exchange.ts";
import { ViewerCertificates } from "./viewer-certificates.ts";
import { WebhookReceiver, webhookRate } from "./webhook-receiver.ts";

export interface EdgeStackProps extends StackProps {
  readonly names: Names;
  readonly config: Config;
  readonly primaryRegion: string;
  readonly apiDomainName: string;
  /** Access logs need a kind of resource that the emulator does not know. */
  readonly accessLogs: boolean;
}

/** CloudFront caches these for the error TTL whatever their headers say (400, 403, 405, 5xx), or when they say nothing. */
const errorStatuses = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504];

/** CloudFront, its function and whatever must be in us-east-1 for it: the one stack that every request passes. */
export class EdgeStack extends Stack {
  constructor(scope: Construct, id: string, props: EdgeStackProps) {
    super(scope, id, props);
    const { names, config } = props;
    const domain = this.#domain(config);
    const alerts = new Alerts(this, "Alerts", { topicName: names.topic("edge"), notify: config.aws.notify });
    const edge = new EdgeFunctions(this, "Edge", { ...props, alerts });
    const admin = new Administration(this, "Administration", { ...props, keyValues: edge.keyValues, alerts }).live;
    const token = new TokenExchange(this, "TokenExchange", { ...props, keyValues: edge.keyValues, alerts }).live;
    const channels = Object.keys(config.channels);
    if (channels.length > 0)
      new ChannelRollback(this, "ChannelRollback", { ...props, channels, keyValues: edge.keyValues, alerts });
    const webhook = new WebhookReceiver(this, "WebhookReceiver", { ...props, alerts }).live;
    const { domainName } = new OriginApi(this, "ControlApi", {
      apiName: names.controlApi,
      functions: { admin, token, webhook },
      throttled: { token: exchangeRate, webhook: webhookRate },
    });
    const distribution = new Distribution(this, "Distribution", {
      comment: `modfront (${names.prefix})`,
      ...this.#behaviors(props, edge, domainName),
      errorResponses: errorStatuses.map((httpStatus) => ({ httpStatus, ttl: Duration.seconds(0) })),
      // CloudFront asks for no certificate over HTTP/3.
      httpVersion: config.aws.mtls === undefined ? HttpVersion.HTTP2_AND_3 : HttpVersion.HTTP2,
      enableIpv6: true,
      ...(domain && {
        domainNames: [domain.name],
        certificate: domain.certificate,
        minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
      }),
      ...(config.aws.firewall && { webAclId: new Firewall(this, "Firewall", { name: names.prefix }).arn }),
    });
    // The CDK has no property of its own for it yet.
    const made = distribution.node.defaultChild as CfnDistribution;
    made.addPropertyOverride("DistributionConfig.CacheTagConfig", { HeaderName: cacheTagHeader });
    new Purging(this, "Purging", { names, distribution, alerts });
    if (config.aws.mtls !== undefined)
      new ViewerCertificates(this, "ViewerCertificates", { name: names.prefix, distribution, ...config.aws.mtls });
    if (domain?.zone) this.#records(domain.zone, domain.name, distribution);
    if (props.accessLogs) {
      new AccessLogs(this, "AccessLogs", {
        bucketName: names.logBucket(),
        prefix: names.prefix,
        distributionArn: distribution.distributionArn,
        days: config.audit.days,
      });
      new AuditTables(this, "AuditTables", {
        deployment: config.aws.name,
        logBucket: names.logBucket(),
        moduleBucket: names.bucket(props.primaryRegion),
      });
    }
    alerts.add(this, "EdgeErrors", alarmRows.edgeErrors(distribution.distributionId));
    this.#outputs(domain?.name ?? distribution.distributionDomainName, config);
    explainDistribution(distribution);
    // A deployment that fails goes back to the code of before, which must still find what it can act by.
    edge.keyValuesFinished.node.addDependency(...this.node.children.filter((child) => child !== edge));
  }

  /**
   * One behaviour for each pattern, in the order of the route table behind `/-/ready`, what publishes, what administers and `/-/*`. The
   * default one gets `/`, and whatever is spelt so that it fits no pattern.
   */
  #behaviors(
    props: EdgeStackProps,
    edge: EdgeFunctions,
    controlApi: string,
  ): {
    readonly defaultBehavior: BehaviorOptions;
    readonly additionalBehaviors: Record<string, BehaviorOptions>;
  } {
    const make = this.#behaviorMaker(props, edge);
    const names = Object.keys(routes) as ProtocolRouteName[];
    const site = make("site", "site");
    const administrators = this.#administrators(props.names);
    const told = { admin: administrators, token: this.#exchangers(props), webhook: this.#hosts(props.names) };
    // Beside fill, which has the versions made.
    const publishing = (Object.entries(publishingPatterns) as [PublishingName, string][]).map(
      ([name, pattern]) =>
        [
          pattern,
          { ...site, origin: apiOrigin(props.apiDomainName, name), originRequestPolicy: administrators },
        ] as const,
    );
    const control = (Object.entries(controlPatterns) as [ControlName, string][]).map(
      ([name, pattern]) =>
        [pattern, { ...site, origin: apiOrigin(controlApi, name), originRequestPolicy: told[name] }] as const,
    );
    return {
      defaultBehavior: make("site", "protocol"),
      additionalBehaviors: {
        [probes.ready]: make("site", "site", "probe"),
        ...Object.fromEntries([...publishing, ...control]),
        [patterns.site]: site,
        ...Object.fromEntries(names.map((name) => [patterns[name], make(name, "protocol", routes[name].keeping)])),
      },
    };
  }

  /**
   * What the functions that administer, and publish, are told of a request, none of whose answers is kept: what is asked, how the answer
   * should look, and from where. With an agent they know go, which prints what it gets.
   */
  #administrators(names: Names): OriginRequestPolicy {
    return new OriginRequestPolicy(this, "AdministratorHeaders", {
      originRequestPolicyName: names.controlApi,
      headerBehavior: OriginRequestHeaderBehavior.allowList(
        identityHeader,
        requestHeader,
        viewerHeader,
        ...["accept", "content-type", "user-agent"],
      ),
      queryStringBehavior: OriginRequestQueryStringBehavior.all(),
    });
  }

  /**
   * What the exchange is told, beside the body: what proves who asks. CloudFront writes the headers of certificates itself,
   * and where it asks for none they are not among these.
   */
  #exchangers({ names, config }: EdgeStackProps): OriginRequestPolicy {
    const certificate = config.aws.mtls === undefined ? [] : Object.values(viewerCertificateHeaders);
    return new OriginRequestPolicy(this, "ExchangeHeaders", {
      originRequestPolicyName: names.exchange,
      headerBehavior: OriginRequestHeaderBehavior.allowList(
        ...[identityHeader, requestHeader, credentialsHeader, viewerHeader],
        ...["accept", "content-type", "user-agent"],
        ...certificate,
      ),
    });
  }

  /** What the function that hears of repositories is told: whatever headers a host signs with, and not whom CloudFront is called. */
  #hosts(names: Names): OriginRequestPolicy {
    return new OriginRequestPolicy(this, "WebhookHeaders", {
      originRequestPolicyName: names.webhook,
      headerBehavior: OriginRequestHeaderBehavior.denyList("host"),
    });
  }

  #behaviorMaker(
    props: EdgeStackProps,
    { functions }: EdgeFunctions,
  ): (name: RouteName, plane: EdgePlane, keeping?: Keeping | "probe") => BehaviorOptions {
    const { names } = props;
    const caching = new CachePolicies(this, "Caching", { prefix: names.prefix });
    const bucketName = names.bucket(props.primaryRegion);
    const origins = {
      bucket: Bucket.fromBucketAttributes(this, "Modules", { bucketName, region: props.primaryRegion }),
      originAccessControl: new S3OriginAccessControl(this, "Access", { signing: Signing.SIGV4_ALWAYS }),
      apiDomainName: props.apiDomainName,
    };
    // Outside the cache key: who asks, how often and in which channel must not split the cache.
    const originRequestPolicy = new OriginRequestPolicy(this, "Headers", {
      originRequestPolicyName: names.prefix,
      headerBehavior: OriginRequestHeaderBehavior.allowList(identityHeader, requestHeader, waitHeader, viaHeader),
    });
    const responseHeadersPolicy = new ResponseHeadersPolicy(this, "Security", {
      responseHeadersPolicyName: names.prefix,
      securityHeadersBehavior: {
        strictTransportSecurity: { accessControlMaxAge: Duration.days(365), includeSubdomains: false, override: true },
      },
    });
    const originFor = originFinder(origins);
    return (name, plane, keeping) => ({
      origin: originFor(name),
      cachePolicy: caching.keeping(keeping),
      originRequestPolicy,
      responseHeadersPolicy,
      allowedMethods: allowedMethods(name),
      compress: name !== "zip",
      viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
      functionAssociations: [{ function: functions[plane], eventType: FunctionEventType.VIEWER_REQUEST }],
    });
  }

  #domain(
    config: Config,
  ): { readonly name: string; readonly certificate: ICertificate; readonly zone: IHostedZone | undefined } | undefined {
    const { domain } = config.aws;
    if (domain === undefined) return undefined;
    const zone =
      domain.hostedZone &&
      HostedZone.fromHostedZoneAttributes(this, "Zone", {
        hostedZoneId: domain.hostedZone.id,
        zoneName: domain.hostedZone.name,
      });
    const certificate =
      domain.certificateArn === undefined
        ? new Certificate(this, "Certificate", {
            domainName: domain.name,
            validation: CertificateValidation.fromDns(zone),
          })
        : Certificate.fromCertificateArn(this, "Certificate", domain.certificateArn);
    return { name: domain.name, certificate, zone };
  }

  #records(zone: IHostedZone, recordName: string, distribution: Distribution): void {
    const target = RecordTarget.fromAlias(new CloudFrontTarget(distribution));
    new ARecord(this, "Address", { zone, recordName: `${recordName}.`, target });
    new AaaaRecord(this, "AddressIpv6", { zone, recordName: `${recordName}.`, target });
  }

  /** The address, and the lines to paste. */
  #outputs(host: string, config: Config): void {
    const url = `https://${host}`;
    // With -n curl sends what is in ~/.netrc, as go does. The service stack, which knows the line itself, may be in another
    // region, and could not change a value that this one had imported.
    const gosumdb = `"$(curl -fsSn ${url}${gosumdbAddress})"`;
    const lines = [`go env -w GOPROXY=${url}`, `go env -w GOSUMDB=${gosumdb}`];
    new CfnOutput(this, "GoProxy", { value: url, description: "The value of GOPROXY" });
    new CfnOutput(this, "Paste", { value: lines.join(" && "), description: "What everybody runs once" });
    if (config.access.anonymous === "all") return;
    new CfnOutput(this, "Netrc", {
      value: `machine ${host} login modfront password TOKEN`,
      description: "A line of ~/.netrc, with what modfront token create prints in place of TOKEN",
    });
  }
}

/**
 * All methods, so that the function answers 405 in our words. CloudFront refuses to make a behaviour with an origin group
 * that allows writing ones (aws/aws-cdk#32450): there, whoever sends one gets CloudFront's own 403.
 */
function allowedMethods(name: RouteName): AllowedMethods {
  return isStored(name) ? AllowedMethods.ALLOW_GET_HEAD_OPTIONS : AllowedMethods.ALLOW_ALL;
}

function explainDistribution(distribution: Distribution): void {
  const reasons = {
    CFR1: "Modules are fetched from wherever developers and build machines are.",
    CFR2: "AWS WAF costs per request and is a choice of the configuration (aws.firewall); the function decides who may.",
    CFR3: "Access logs are of version 2, delivered through CloudWatch Logs, which this rule does not know yet.",
    CFR4: "Without a domain of one's own CloudFront's certificate is used, whose protocol version cannot be set.",
  };
  for (const [rule, reason] of Object.entries(reasons)) {
    Validations.of(distribution).acknowledge({ id: `AwsSolutions-${rule}`, reason });
  }
  Validations.of(distribution).acknowledge({
    id: "Annotation::@aws-cdk/aws-cloudfront-origins:updateImportedBucketPolicyOac",
    reason: "The storage stack writes the bucket's policy, for every distribution of the account.",
  });
}
