import { Duration } from "aws-cdk-lib";
import { CacheHeaderBehavior, CachePolicy, type ICachePolicy } from "aws-cdk-lib/aws-cloudfront";
import { Construct } from "constructs";
import { channelHeader } from "../lambda/edge/cloudfront.ts";
import type { Keeping } from "../lambda/edge/routes.ts";

/** `maxTtl` only bounds what the answer's own header says; nothing without such a header is kept, but for `minTtl`. */
interface Kind {
  readonly maxTtl: Duration;
  readonly minTtl?: Duration;
  readonly compressed: boolean;
  /** Whether answers differ by channel. */
  readonly byChannel?: true;
}

/** `probe`: an answer for everyone that no other cache may keep, and that costs a function each time it is not kept. */
const kinds: Readonly<Record<Keeping | "probe", Kind>> = {
  text: { maxTtl: Duration.days(365), compressed: true },
  info: { maxTtl: Duration.days(365), compressed: true, byChannel: true },
  archive: { maxTtl: Duration.days(365), compressed: false },
  short: { maxTtl: Duration.days(1), compressed: true, byChannel: true },
  probe: { maxTtl: Duration.seconds(5), minTtl: Duration.seconds(5), compressed: true },
};

/**
 * The cache policies, one for each kind of path. The key is the path, and the channel where answers differ
 * by it: who may see it was decided before the cache, and query strings are ignored.
 */
export class CachePolicies extends Construct {
  readonly #policies = new Map<keyof typeof kinds, ICachePolicy>();
  readonly #prefix: string;

  constructor(scope: Construct, id: string, props: { readonly prefix: string }) {
    super(scope, id);
    this.#prefix = props.prefix;
  }

  /** The policy of one kind; without one nothing is kept. */
  keeping(kind: keyof typeof kinds | undefined): ICachePolicy {
    if (kind === undefined) return CachePolicy.CACHING_DISABLED;
    const made = this.#policies.get(kind) ?? this.#make(kind);
    this.#policies.set(kind, made);
    return made;
  }

  #make(kind: keyof typeof kinds): ICachePolicy {
    const { maxTtl, minTtl = Duration.seconds(0), compressed, byChannel } = kinds[kind];
    return new CachePolicy(this, kind, {
      cachePolicyName: `${this.#prefix}-${kind}`,
      minTtl,
      defaultTtl: minTtl,
      maxTtl,
      ...(byChannel && { headerBehavior: CacheHeaderBehavior.allowList(channelHeader) }),
      enableAcceptEncodingGzip: compressed,
      enableAcceptEncodingBrotli: compressed,
    });
  }
}
