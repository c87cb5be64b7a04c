import { RemovalPolicy, Stack, Validations } from "aws-cdk-lib";
import { AccessLogFormat } from "aws-cdk-lib/aws-apigateway";
import {
  type CfnStage,
  HttpApi,
  HttpMethod,
  HttpRoute,
  HttpStage,
  LogGroupLogDestination,
} from "aws-cdk-lib/aws-apigatewayv2";
import { HttpLambdaIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { routes } from "../lambda/edge/routes.ts";
import { originPathOf } from "./origins.ts";

export interface Throttle {
  readonly rate: number;
  readonly burst: number;
}

/**
 * An HTTP API behind CloudFront: `<origin path>/{path+}` for each name, each its function. Modules are only read; what
 * methods everything else has its rows say, so its function gets them all.
 */
export class OriginApi extends Construct {
  readonly domainName: string;

  constructor(
    scope: Construct,
    id: string,
    props: {
      readonly apiName: string;
      readonly functions: Readonly<Record<string, IFunction>>;
      /** How often a second, and at once, a function is asked at most. */
      readonly throttled?: Readonly<Record<string, Throttle>>;
    },
  ) {
    super(scope, id);
    const api = new HttpApi(this, "Api", { apiName: props.apiName, createDefaultStage: false });
    for (const [name, target] of Object.entries(props.functions)) {
      const added = api.addRoutes({
        path: `${originPathOf(name)}/{path+}`,
        methods: Object.hasOwn(routes, name) ? [HttpMethod.GET, HttpMethod.HEAD] : [HttpMethod.ANY],
        integration: new HttpLambdaIntegration(name, target),
      });
      for (const route of added) {
        Validations.of(route).acknowledge({
          id: "AwsSolutions-APIG4",
          reason: "The function refuses whatever does not carry the header that the edge signs after deciding who may.",
        });
      }
    }
    this.#throttle(this.#stage(api), props.throttled ?? {});
    const { region, urlSuffix } = Stack.of(this);
    this.domainName = `${api.apiId}.execute-api.${region}.${urlSuffix}`;
  }

  /** Its log joins the request to CloudFront's and the function's; nothing of it can hold a credential. */
  #stage(api: HttpApi): HttpStage {
    const log = new LogGroup(this, "Log", {
      logGroupName: `/aws/apigateway/${api.httpApiName}`,
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const fields = {
      requestId: "$context.requestId",
      method: "$context.httpMethod",
      path: "$context.path",
      status: "$context.status",
      milliseconds: "$context.responseLatency",
      error: "$context.integrationErrorMessage",
    };
    return new HttpStage(this, "Stage", {
      httpApi: api,
      stageName: "$default",
      autoDeploy: true,
      accessLogSettings: {
        destination: new LogGroupLogDestination(log),
        format: AccessLogFormat.custom(JSON.stringify(fields)),
      },
    });
  }

  /** Who is refused by it costs no function. */
  #throttle(stage: HttpStage, throttled: Readonly<Record<string, Throttle>>): void {
    const settings = Object.entries(throttled).map(([name, { rate, burst }]) => [
      `${HttpMethod.ANY} ${originPathOf(name)}/{path+}`,
      { ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst },
    ]);
    if (settings.length === 0) return;
    const made = stage.node.defaultChild as CfnStage;
    made.addPropertyOverride("RouteSettings", Object.fromEntries(settings));
    // The settings name routes, which must be there.
    for (const route of this.node.findAll().filter((each) => each instanceof HttpRoute)) made.node.addDependency(route);
  }
}
