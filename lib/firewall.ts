import { CfnWebACL } from "aws-cdk-lib/aws-wafv2";
import { Construct } from "constructs";

/** Requests from one address in five minutes; a large cold `go mod download` makes a few thousand. */
const rateLimit = 20_000;

/** AWS WAF before CloudFront: a rate limit, because rule sets made for web pages stumble over module paths. */
export class Firewall extends Construct {
  readonly arn: string;

  constructor(scope: Construct, id: string, props: { readonly name: string }) {
    super(scope, id);
    const visibility = (metricName: string) => ({
      metricName,
      cloudWatchMetricsEnabled: true,
      sampledRequestsEnabled: false,
    });
    const acl = new CfnWebACL(this, "Acl", {
      name: props.name,
      scope: "CLOUDFRONT",
      defaultAction: { allow: {} },
      visibilityConfig: visibility(props.name),
      rules: [
        {
          name: "rate",
          priority: 0,
          action: { block: {} },
          statement: { rateBasedStatement: { limit: rateLimit, aggregateKeyType: "IP" } },
          visibilityConfig: visibility(`${props.name}-rate`),
        },
      ],
    });
    this.arn = acl.attrArn;
  }
}
