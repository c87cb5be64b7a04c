import { Arn, ArnFormat, Duration, Stack } from "aws-cdk-lib";
import type { Distribution } from "aws-cdk-lib/aws-cloudfront";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import { edgeRegion } from "../lambda/aws/edge-region.ts";
import type { Alerts } from "./alerts.ts";
import { Handler } from "./handler.ts";
import type { Names } from "./names.ts";

export interface PurgingProps {
  readonly names: Names;
  readonly distribution: Distribution;
  readonly alerts: Alerts;
}

/** The function that has CloudFront forget what it keeps of modules, and can do nothing else. Others call it by its name. */
export class Purging extends Construct {
  constructor(scope: Construct, id: string, { names, distribution, alerts }: PurgingProps) {
    super(scope, id);
    const handler = new Handler(this, "Function", {
      handler: "purge",
      functionName: names.function("purge"),
      description: "Has CloudFront forget what changes of modules",
      environment: { MODFRONT_DISTRIBUTION: distribution.distributionId },
      settings: {},
      memorySize: 256,
      timeout: Duration.seconds(30),
      alerts,
      canary: false,
    });
    const { partition, account } = Stack.of(this);
    handler.function.addToRolePolicy(
      new PolicyStatement({
        actions: ["cloudfront:CreateInvalidation"],
        resources: [`arn:${partition}:cloudfront::${account}:distribution/${distribution.distributionId}`],
      }),
    );
    // After some minutes the time to live has done it.
    handler.live.configureAsyncInvoke({ retryAttempts: 2, maxEventAge: Duration.minutes(5) });
  }
}

/** By which name that function is called. */
export function purgeFunction(names: Names): string {
  return `${names.function("purge")}:live`;
}

/** The permission to call it, of another stack. */
export function mayPurge(scope: Construct, names: Names): PolicyStatement {
  const resourceName = purgeFunction(names);
  const format = { service: "lambda", region: edgeRegion, resource: "function", resourceName } as const;
  const arn = Arn.format({ ...format, arnFormat: ArnFormat.COLON_RESOURCE_NAME }, Stack.of(scope));
  return new PolicyStatement({ actions: ["lambda:InvokeFunction"], resources: [arn] });
}
