import { CfnOutput, Duration, Size, Stack, type StackProps, Validations } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IAlias, IFunction } from "aws-cdk-lib/aws-lambda";
import { Schedule, ScheduleExpression } from "aws-cdk-lib/aws-scheduler";
import { LambdaInvoke } from "aws-cdk-lib/aws-scheduler-targets";
import type { Construct } from "constructs";
import { fillTimes } from "../lambda/aws/fill-times.ts";
import { secretsOf } from "../lambda/aws/secret-ids.ts";
import { temporarySpace } from "../lambda/aws/temporary-space.ts";
import type { Config } from "../lambda/config/config.ts";
import type { Environment, HandlerName, ServeName, Settings } from "../lambda/config/env.ts";
import type { RouteName } from "../lambda/edge/routes.ts";
import { channelsApart } from "../lambda/proxy/channels/channel-parts.ts";
import { followedRepositories } from "../lambda/webhooks/followed-repositories.ts";
import packageJson from "../package.json" with { type: "json" };
import { Alerts, alarmRows } from "./alerts.ts";
import { Background } from "./background.ts";
import { ChannelAlarms } from "./channel-alarms.ts";
import { Handler, type HandlerProps } from "./handler.ts";
import { LogPlane, logSettings } from "./log-plane.ts";
import type { Names } from "./names.ts";
import { OriginApi } from "./origin-api.ts";
import { PrivateNetwork } from "./private-network.ts";
import { mayPurge, purgeFunction } from "./purging.ts";
import { StoredData } from "./stored-data.ts";

export interface ServiceStackProps extends StackProps {
  readonly names: Names;
  readonly config: Config;
  readonly canary: boolean;
}

/** Both planes of one region: the API with its read-only functions, and fill, the only writer, with its queue and schedule. */
export class ServiceStack extends Stack {
  readonly apiDomainName: string;
  readonly #props: ServiceStackProps;
  readonly #data: StoredData;
  readonly #alerts: Alerts;
  readonly #background: Background;
  readonly #log: LogPlane;

  constructor(scope: Construct, id: string, props: ServiceStackProps) {
    super(scope, id, props);
    this.#props = props;
    this.#data = new StoredData(this, "Data", { names: props.names, region: this.region });
    this.#alerts = new Alerts(this, "Alerts", {
      topicName: props.names.topic("service"),
      notify: props.config.aws.notify,
    });
    this.#background = new Background(this, "Background", { names: props.names, alerts: this.#alerts });
    this.#log = new LogPlane(this, "OwnLog", { ...props, data: this.#data, alerts: this.#alerts });
    const fill = this.#fill();
    this.#backgroundFill();
    this.#background.watch(this.#data.bucketName);
    this.#preheat();
    // One forged byte is one too many.
    this.#alerts.add(this, "Alarming", alarmRows.alarming("fill"));
    this.#alerts.add(this, "BackgroundAlarming", alarmRows.alarming("background"));
    this.#alerts.add(this, "Concurrency", alarmRows.concurrency());
    const channels = Object.keys(props.config.channels);
    // Whatever cannot move traffic step by step cannot count two metrics against each other either: the emulator.
    if (channels.length > 0 && props.canary)
      new ChannelAlarms(this, "ChannelAlarms", { names: props.names, channels, alerts: this.#alerts });
    new CfnOutput(this, "Gosumdb", { value: this.#log.gosumdb, description: "The value of GOSUMDB, for all modules" });
    const publish = this.#publish(fill.live).live;
    const functions = { ...this.#serve(fill.live), publish, yanks: publish };
    this.apiDomainName = new OriginApi(this, "Api", { apiName: props.names.prefix, functions }).domainName;
  }

  /** One whole CPU, because hashing is what it does. */
  #fill(): Handler<"fill"> {
    const { config } = this.#props;
    return this.#writer("Fill", "fill", {
      description: "Fetches, verifies and stores what a client waits for",
      environment: this.#writerEnvironment(),
      memorySize: 1769,
      ...(config.aws.fillConcurrency && { reservedConcurrency: config.aws.fillConcurrency }),
    });
  }

  /** Waits for upstreams most of its time: a third of the CPU does, and costs a third. */
  #backgroundFill(): void {
    const background = this.#writer("BackgroundFill", "background", {
      description: "Fetches, verifies and stores what nobody waits for",
      environment: {
        ...this.#writerEnvironment(),
        MODFRONT_QUEUE: this.#background.queue.queueUrl,
        MODFRONT_PURGE: purgeFunction(this.#props.names),
      },
      memorySize: 512,
    });
    this.#background.feed(background.live, this.#props.config.aws.backgroundConcurrency);
    // It gives messages back, and leaves what a turn did not get done.
    this.#background.queue.grant(background.function, "sqs:ChangeMessageVisibility", "sqs:SendMessage");
    this.#grant(background, mayPurge(this, this.#props.names));
    const { webhooks, sweep } = this.#props.config;
    if (Object.keys(webhooks).length > 0 && sweep.minutes > 0)
      this.#background.sweep(this.#props.names, Duration.minutes(sweep.minutes));
  }

  #writerEnvironment(): Environment<"fill"> {
    return {
      MODFRONT_TABLE: this.#data.tableName,
      MODFRONT_LOG_TABLE: this.#data.logTableName,
      MODFRONT_BUCKET: this.#data.bucketName,
      MODFRONT_CREDENTIALS_SECRET: this.#props.names.credentialsSecret,
      MODFRONT_LOG: this.#log.live.functionArn,
      MODFRONT_GOSUMDB: this.#log.gosumdb,
    };
  }

  /** A function that writes modules: 15 minutes, for a large file from a slow upstream, and room in /tmp for it. */
  #writer<Name extends "fill" | "background">(
    id: string,
    name: Name,
    props: Pick<HandlerProps<Name>, "description" | "environment" | "memorySize" | "reservedConcurrency">,
  ): Handler<Name> {
    const { names, config } = this.#props;
    const { upstreams, policy, channels, credentials, git, allowHosts, ttl, sumdb, timeouts, webhooks } = config;
    const settings: Settings<"fill" | "background"> = {
      ...{ upstreams, policy, channels, credentials, git, allowHosts, ttl, sumdb, timeouts },
      ...{ proxy: config.proxy, tenants: config.tenants, publishing: config.publishing },
      private: config.private,
      log: logSettings(config),
      version: packageJson.version,
      ...(name === "background" && { followed: followedRepositories(webhooks) }),
    };
    const writer = this.#handler(id, name, {
      ...props,
      settings: settings as Settings<Name>,
      timeout: Duration.seconds(fillTimes.invocation),
      ephemeralStorageSize: Size.gibibytes(temporarySpace.gibibytes),
      network: config.aws.vpc && new PrivateNetwork(this, `${id}Network`, config.aws.vpc),
    });
    const secrets = [names.credentialsSecret, ...secretsOf(credentials)];
    this.#grant(writer, ...this.#data.fillStore(), this.#data.readSecrets(secrets));
    this.#grant(writer, ...this.#data.readCredentials(names.credentialFolder), invocationOf(this.#log.live));
    Validations.of(writer).acknowledge({
      id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:secretsmanager:${this.region}:${names.shownAccount}:secret:${names.credentialFolder}*]`,
      reason:
        "Administrators set credentials over HTTP, each a secret of its own in this folder; whoever fetches shows them.",
    });
    Validations.of(writer).acknowledge({
      id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::${names.prefix}-${names.shownAccount}-${this.region}/*]`,
      reason: "The fill plane is the one writer, of every module; the bucket's own policy refuses to overwrite any.",
    });
    Validations.of(writer).acknowledge({
      id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::${names.prefix}-${names.shownAccount}-${this.region}/-/staged/*]`,
      reason: "Staged files are removed when the version they are of is stored, and no file of a module ever.",
    });
    Validations.of(writer).acknowledge({
      id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::${names.prefix}-${names.shownAccount}-${this.region}/-/log/*/tile/*]`,
      reason: "A damaged tile of our own log is removed and made anew of its rows, and nothing else of the log.",
    });
    return writer;
  }

  #preheat(): void {
    const { names, config } = this.#props;
    const preheat = this.#handler("Preheat", "preheat", {
      description: "Asks for modules to be filled before anyone needs them",
      environment: {
        MODFRONT_TABLE: this.#data.tableName,
        MODFRONT_BUCKET: this.#data.bucketName,
        MODFRONT_QUEUE: this.#background.queue.queueUrl,
      },
      settings: { preheat: config.preheat },
      memorySize: 512,
      timeout: Duration.minutes(5),
    });
    this.#grant(preheat, this.#data.listModules(), ...this.#data.readPreheatFiles());
    Validations.of(preheat).acknowledge({
      id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::${names.prefix}-${names.shownAccount}-${this.region}/-/preheat/*]`,
      reason: "Every file that people put into this one folder is read.",
    });
    this.#background.queue.grant(preheat.function, "sqs:SendMessage");
    // The scheduler invokes without waiting, and Lambda's own two tries more would each send all jobs again.
    preheat.live.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.minutes(10) });
    new Schedule(this, "PreheatSchedule", {
      scheduleName: names.function("preheat"),
      schedule: ScheduleExpression.expression(config.preheat.schedule),
      target: new LambdaInvoke(preheat.live, { retryAttempts: 0, maxEventAge: Duration.minutes(10) }),
    });
  }

  /**
   * Takes zips in, or says where they are to be put, and has fill make versions of them. It writes what waits and the audit
   * log, and no module.
   */
  #publish(fill: IAlias): Handler<"publish"> {
    const { names, config } = this.#props;
    const publish = this.#handler("Publish", "publish", {
      description: "Takes in versions that somebody publishes, and hides versions",
      environment: {
        MODFRONT_FILL: fill.functionArn,
        MODFRONT_EDGE_SECRET: names.edgeSecret,
        MODFRONT_TABLE: this.#data.tableName,
        MODFRONT_BUCKET: this.#data.bucketName,
        MODFRONT_PURGE: purgeFunction(names),
      },
      settings: { access: config.access, private: config.private, tenants: config.tenants },
      memorySize: 512,
      timeout: Duration.seconds(29),
    });
    this.#grant(publish, this.#data.readSecret(names.edgeSecret), this.#data.readVersions(), invocationOf(fill));
    this.#grant(publish, this.#data.receiveUploads(), ...this.#data.auditLog(), mayPurge(this, names));
    const folders = {
      upload: "Zips wait under names of chance, each for one publication, and are swept after a day.",
      audit: "Events are read by their time and added under names of chance; the bucket's policy keeps what is there.",
    };
    for (const [folder, reason] of Object.entries(folders))
      Validations.of(publish).acknowledge({
        id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::${names.prefix}-${names.shownAccount}-${this.region}/-/${folder}/*]`,
        reason,
      });
    return publish;
  }

  /** A function for each route of the protocol, and one for the site. */
  #serve(fill: IAlias): Readonly<Record<RouteName, IFunction>> {
    return {
      sumdb: this.#fillingFunction("sumdb", fill, { MODFRONT_GOSUMDB: this.#log.gosumdb }).live,
      list: this.#indexFunction("list", fill).live,
      latest: this.#indexFunction("latest", fill).live,
      info: this.#fillingFunction("info", fill, {}).live,
      mod: this.#fillingFunction("mod", fill, {}).live,
      zip: this.#fillingFunction("zip", fill, {}).live,
      site: this.#serveFunction("site", { MODFRONT_GOSUMDB: this.#log.gosumdb }).live,
    };
  }

  #indexFunction(name: "list" | "latest", fill: IAlias): Handler<ServeName> {
    const environment = { MODFRONT_TABLE: this.#data.tableName, MODFRONT_FILL: fill.functionArn };
    return this.#grant(this.#serveFunction(name, environment), this.#data.readModules(), invocationOf(fill));
  }

  #fillingFunction<Name extends "info" | "mod" | "zip" | "sumdb">(
    name: Name,
    fill: IAlias,
    more: Omit<Environment<Name>, "MODFRONT_FILL" | "MODFRONT_EDGE_SECRET">,
  ): Handler<ServeName> {
    const environment = { ...more, MODFRONT_FILL: fill.functionArn } as Omit<Environment<Name>, "MODFRONT_EDGE_SECRET">;
    return this.#grant(this.#serveFunction(name, environment), invocationOf(fill));
  }

  #serveFunction<Name extends ServeName>(
    name: Name,
    environment: Omit<Environment<Name>, "MODFRONT_EDGE_SECRET">,
  ): Handler<ServeName> {
    const { names, config } = this.#props;
    const { ttl, sumdb, access, tenants } = config;
    const serving = this.#handler<ServeName>(`${name.charAt(0).toUpperCase()}${name.slice(1)}`, name, {
      description: `Answers ${name} requests that neither CloudFront nor S3 could`,
      environment: { ...environment, MODFRONT_EDGE_SECRET: names.edgeSecret } as Environment<ServeName>,
      settings: {
        ...{ ttl, sumdb, access, tenants },
        private: config.private,
        channels: Object.keys(config.channels),
        apart: channelsApart(config.channels),
        log: logSettings(config),
      },
      memorySize: 512,
      // The API gives up after 30 seconds; ending before it leaves time to say so in our own words.
      timeout: Duration.seconds(29),
    });
    return this.#grant(serving, this.#data.readSecret(names.edgeSecret));
  }

  #handler<Name extends HandlerName>(
    id: string,
    handler: Name,
    props: Omit<HandlerProps<Name>, "handler" | "functionName" | "canary" | "alerts">,
  ): Handler<Name> {
    const { names, canary } = this.#props;
    return new Handler(this, id, {
      ...props,
      handler,
      functionName: names.function(handler),
      canary,
      alerts: this.#alerts,
    });
  }

  #grant<Name extends HandlerName>(handler: Handler<Name>, ...statements: readonly PolicyStatement[]): Handler<Name> {
    for (const statement of statements) handler.function.addToRolePolicy(statement);
    return handler;
  }
}

/** One call of a function, by its alias: never a version that is not live. */
function invocationOf(live: IAlias): PolicyStatement {
  return new PolicyStatement({ actions: ["lambda:InvokeFunction"], resources: [live.functionArn] });
}
