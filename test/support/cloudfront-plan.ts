import type { Template } from "./deployment.ts";

// What a synthesised template tells CloudFront to do, in a shape that the stand-in can follow.

export interface PlannedOrigin {
  /** Host of the API or of the bucket. */
  readonly host: string;
  readonly path: string;
  readonly isBucket: boolean;
  /** Milliseconds without an answer before it has failed. */
  readonly timeout: number;
}

export interface PlannedBehavior {
  readonly pattern: string;
  /** In the order in which they are tried. */
  readonly origins: readonly PlannedOrigin[];
  readonly failover: ReadonlySet<number>;
  /** Seconds; all zero where caching is disabled. */
  readonly cache: { readonly min: number; readonly default: number; readonly max: number };
  /** Headers of the request that are in the cache key, and so reach the origin too. */
  readonly keyHeaders: readonly string[];
  readonly methods: ReadonlySet<string>;
  /** Headers of the request that reach the origin, beside those that a cache needs. */
  readonly headers: readonly string[];
  /** All others reach it but these, where that is how its policy is written. */
  readonly withheld: readonly string[] | undefined;
  /** Whether the query reaches it. */
  readonly query: boolean;
  /** The source of its viewer-request function. */
  readonly functionCode: string;
}

export interface Plan {
  /** In the order in which they are tried; the last one is the default. */
  readonly behaviors: readonly PlannedBehavior[];
  /** Seconds for which CloudFront keeps an error, by status. */
  readonly errorTtl: ReadonlyMap<number, number>;
  /** The header in which the tags of an answer are. */
  readonly tags: string | undefined;
}

/** The values that CloudFormation would put in: by logical id for `Ref`, by name for `Fn::ImportValue`. */
export interface Known {
  readonly refs: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
}

// biome-ignore lint/suspicious/noExplicitAny: a template is JSON of CloudFormation's making
type Json = any;

export function planOf(template: Template, known: Known): Plan {
  const of = (type: string): Json =>
    Object.values(template.Resources).find((resource) => resource.Type === type)?.Properties;
  const config = of("AWS::CloudFront::Distribution").DistributionConfig;
  const reader = new PlanReader(template, config, known);
  return {
    behaviors: [...config.CacheBehaviors, config.DefaultCacheBehavior].map((behavior: Json) =>
      reader.behavior(behavior),
    ),
    tags: config.CacheTagConfig?.HeaderName,
    errorTtl: new Map(config.CustomErrorResponses.map((row: Json) => [row.ErrorCode, row.ErrorCachingMinTTL])),
  };
}

class PlanReader {
  readonly #template: Template;
  readonly #config: Json;
  readonly #known: Known;

  constructor(template: Template, config: Json, known: Known) {
    this.#template = template;
    this.#config = config;
    this.#known = known;
  }

  behavior(behavior: Json): PlannedBehavior {
    const target = behavior.TargetOriginId;
    const group = this.#config.OriginGroups.Items.find((each: Json) => each.Id === target);
    const ids: readonly string[] = group?.Members.Items.map((member: Json) => member.OriginId) ?? [target];
    const forwarded = this.#properties(behavior.OriginRequestPolicyId)?.OriginRequestPolicyConfig;
    return {
      pattern: behavior.PathPattern ?? "*",
      origins: ids.map((id) => this.#origin(id)),
      failover: new Set(group?.FailoverCriteria.StatusCodes.Items),
      cache: this.#cache(behavior.CachePolicyId),
      keyHeaders:
        this.#properties(behavior.CachePolicyId)?.CachePolicyConfig.ParametersInCacheKeyAndForwardedToOrigin
          .HeadersConfig.Headers ?? [],
      methods: new Set(behavior.AllowedMethods),
      functionCode: this.#functionCode(behavior.FunctionAssociations[0].FunctionARN),
      headers: forwarded?.HeadersConfig.HeaderBehavior === "allExcept" ? [] : (forwarded?.HeadersConfig.Headers ?? []),
      withheld: forwarded?.HeadersConfig.HeaderBehavior === "allExcept" ? forwarded.HeadersConfig.Headers : undefined,
      query: forwarded?.QueryStringsConfig.QueryStringBehavior === "all",
    };
  }

  #functionCode(arn: Json): string {
    return String(this.#template.Resources[arn["Fn::GetAtt"][0]]?.Properties.FunctionCode);
  }

  #origin(id: string): PlannedOrigin {
    const origin = this.#config.Origins.find((each: Json) => each.Id === id);
    const api = origin.CustomOriginConfig;
    return {
      host: this.#resolve(origin.DomainName),
      path: origin.OriginPath ?? "",
      isBucket: api === undefined,
      timeout: (api?.OriginReadTimeout ?? 30) * origin.ConnectionAttempts * 1000,
    };
  }

  /** A policy that is not in the template is CloudFront's own "caching disabled": the only one of those in use. */
  #cache(policy: Json): PlannedBehavior["cache"] {
    const config = this.#properties(policy)?.CachePolicyConfig;
    return { min: config?.MinTTL ?? 0, default: config?.DefaultTTL ?? 0, max: config?.MaxTTL ?? 0 };
  }

  #properties(reference: Json): Json {
    return typeof reference === "string" ? undefined : this.#template.Resources[reference.Ref]?.Properties;
  }

  #resolve(value: Json): string {
    if (typeof value === "string") return value;
    if (value.Ref !== undefined) return this.#known.refs[value.Ref] ?? fail(`Ref ${value.Ref}`);
    if (value["Fn::ImportValue"] !== undefined)
      return this.#known.imports[value["Fn::ImportValue"]] ?? fail(`import ${value["Fn::ImportValue"]}`);
    const [separator, parts] = value["Fn::Join"] ?? fail(JSON.stringify(value));
    return parts.map((part: Json) => this.#resolve(part)).join(separator);
  }
}

function fail(what: string): never {
  throw new Error(`the stand-in for CloudFront cannot resolve ${what}`);
}
