import { Duration } from "aws-cdk-lib";
import {
  type IOrigin,
  OriginProtocolPolicy,
  OriginSslPolicy,
  type S3OriginAccessControl,
} from "aws-cdk-lib/aws-cloudfront";
import { HttpOrigin, OriginGroup, S3BucketOrigin } from "aws-cdk-lib/aws-cloudfront-origins";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import { type ControlName, type PublishingName, type RouteName, storedKind } from "../lambda/edge/routes.ts";

export interface OriginsProps {
  readonly bucket: IBucket;
  readonly originAccessControl: S3OriginAccessControl;
  readonly apiDomainName: string;
}

/** The origin path of the API half of a route's behaviour: the API knows `<origin path>/{path+}`, one Lambda each. */
export function originPathOf(name: string): string {
  return `/${name}`;
}

/** True for routes whose behaviour has an origin group, because their files lie in the bucket under their own path. */
export function isStored(name: RouteName): boolean {
  return storedKind(name) !== undefined;
}

/** S3 answers 403 or 404 for what is not there, depending on who may list; the rest is S3 in trouble. */
const failover = [403, 404, 500, 502, 503, 504];

/** Returns what finds the origin of a route: the same one for every behaviour that asks for it. */
export function originFinder(props: OriginsProps): (name: RouteName) => IOrigin {
  const made = new Map<RouteName, IOrigin>();
  return (name) => {
    const origin = made.get(name) ?? originOf(name, props);
    made.set(name, origin);
    return origin;
  };
}

/** A function behind an API, by its origin path. */
export function apiOrigin(domainName: string, name: RouteName | ControlName | PublishingName): HttpOrigin {
  return new HttpOrigin(domainName, {
    originId: `api-${name}`,
    originPath: originPathOf(name),
    protocolPolicy: OriginProtocolPolicy.HTTPS_ONLY,
    originSslProtocols: [OriginSslPolicy.TLS_V1_2],
    connectionAttempts: 1,
    connectionTimeout: Duration.seconds(5),
    readTimeout: Duration.seconds(35),
  });
}

/**
 * Where a route's misses of the cache go: to the API, or to the bucket first and to the API when the bucket has nothing.
 *
 * The origin path differs for each route while the path of the request stays: the API needs the former to choose a
 * function, the bucket's keys are the latter.
 */
function originOf(name: RouteName, props: OriginsProps): IOrigin {
  const api = apiOrigin(props.apiDomainName, name);
  if (!isStored(name)) return api;
  const files = S3BucketOrigin.withOriginAccessControl(props.bucket, {
    originId: `files-${name}`,
    originAccessControl: props.originAccessControl,
    connectionAttempts: 1,
    connectionTimeout: Duration.seconds(3),
  });
  return new OriginGroup({ primaryOrigin: files, fallbackOrigin: api, fallbackStatusCodes: [...failover] });
}
