import { type Duration, RemovalPolicy, type Size, Validations } from "aws-cdk-lib";
import type { IAlarm } from "aws-cdk-lib/aws-cloudwatch";
import { LambdaDeploymentConfig, LambdaDeploymentGroup } from "aws-cdk-lib/aws-codedeploy";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import {
  Alias,
  Architecture,
  Code,
  type IAlias,
  type IVersion,
  Function as LambdaFunction,
  Runtime,
} from "aws-cdk-lib/aws-lambda";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import type { Environment, HandlerName, Settings } from "../lambda/config/env.ts";
import { type Alerts, alarmRows } from "./alerts.ts";
import { bundleHandler } from "./bundle.ts";
import type { PrivateNetwork } from "./private-network.ts";

export interface HandlerProps<Name extends HandlerName> {
  readonly handler: Name;
  readonly functionName: string;
  readonly description: string;
  readonly environment: Environment<Name>;
  readonly settings: Settings<Name>;
  readonly memorySize: number;
  readonly timeout: Duration;
  readonly ephemeralStorageSize?: Size;
  /** How many of it may run at once, taken away from all other functions of the account. */
  readonly reservedConcurrency?: number;
  /** Where it runs, when not in the open. */
  readonly network?: PrivateNetwork | undefined;
  readonly alerts: Alerts;
  /** Shift traffic to a new version step by step and back on errors; CloudFormation then needs CodeDeploy. */
  readonly canary: boolean;
}

/**
 * One handler of lambda/ as a function on Node 24 and arm64, behind the alias `live`.
 *
 * Its role may write its own log and nothing else until somebody grants more: the managed policy would allow every log.
 */
export class Handler<Name extends HandlerName> extends Construct {
  readonly function: LambdaFunction;
  readonly live: IAlias;

  constructor(scope: Construct, id: string, props: HandlerProps<Name>) {
    super(scope, id);
    const logGroup = new LogGroup(this, "Log", {
      logGroupName: `/aws/lambda/${props.functionName}`,
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(this, "Role", { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
    this.function = new LambdaFunction(this, "Function", {
      functionName: props.functionName,
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: "index.handler",
      code: Code.fromAsset(bundleHandler(props.handler, props.settings)),
      environment: { ...props.environment },
      memorySize: props.memorySize,
      timeout: props.timeout,
      ...(props.ephemeralStorageSize && { ephemeralStorageSize: props.ephemeralStorageSize }),
      ...(props.reservedConcurrency && { reservedConcurrentExecutions: props.reservedConcurrency }),
      ...props.network?.placement,
      logGroup,
      role,
    });
    props.network?.permit(role, props.functionName);
    role.addToPolicy(
      new PolicyStatement({
        actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
        resources: [logGroup.logGroupArn],
      }),
    );
    const live = new Alias(this, "Live", { aliasName: "live", version: this.function.currentVersion as IVersion });
    // The CDK's classes and its interfaces disagree on optional properties (exactOptionalPropertyTypes).
    this.live = live as IAlias;
    const judges = this.#watch(props);
    if (props.canary) this.#shiftTraffic(live, judges);
  }

  /** The alarms of the function; those that are returned judge a version that is being rolled out. */
  #watch({ alerts, handler, reservedConcurrency }: HandlerProps<Name>): readonly IAlarm[] {
    const { version } = this.function.currentVersion;
    // Whoever reserves places wants others to wait when they are taken: that says nothing of the account.
    if (reservedConcurrency === undefined) alerts.add(this, "Throttles", alarmRows.throttles(this.live));
    return [
      alerts.add(this, "Errors", alarmRows.crashes(this.live)),
      alerts.add(this, "Faults", alarmRows.faults(handler, version)),
    ];
  }

  #shiftTraffic(alias: Alias, alarms: readonly IAlarm[]): void {
    const group = new LambdaDeploymentGroup(this, "Canary", {
      alias,
      deploymentConfig: LambdaDeploymentConfig.CANARY_10PERCENT_5MINUTES,
      alarms: [...alarms],
    });
    Validations.of(group).acknowledge({
      id: `AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited]`,
      reason: "The policy that AWS keeps for CodeDeploy's own role, in its limited form; the CDK attaches no other.",
    });
  }
}
