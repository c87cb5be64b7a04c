import type { App } from "aws-cdk-lib";
import { edgeRegion } from "../lambda/aws/edge-region.ts";
import type { Config } from "../lambda/config/config.ts";
import { EdgeStack } from "./edge-stack.ts";
import { Names } from "./names.ts";
import { ServiceStack } from "./service-stack.ts";
import { StorageStack } from "./storage-stack.ts";

export interface ModfrontProps {
  readonly config: Config;
  /** False for the emulator, which knows neither CodeDeploy nor the delivery of CloudFront's access logs. */
  readonly complete: boolean;
  /** Where to deploy: with it every name is literal, which `cdk import` needs; without it a template fits any account. */
  readonly account?: string | undefined;
}

/**
 * All stacks of one deployment, in their order: storage, service, edge.
 *
 * They know each other by name; only the API's address goes from service to edge, across regions if need be.
 */
export function addModfront(app: App, { config, complete, account }: ModfrontProps): void {
  const names = new Names(config.aws.name, account);
  const [primaryRegion = edgeRegion] = config.aws.regions;
  const where = account === undefined ? {} : { account };
  const crossRegionReferences = primaryRegion !== edgeRegion;
  const service = new ServiceStack(app, `${names.prefix}-service-${primaryRegion}`, {
    env: { region: primaryRegion, ...where },
    crossRegionReferences,
    names,
    config,
    canary: complete,
  });
  const edge = new EdgeStack(app, `${names.prefix}-edge`, {
    env: { region: edgeRegion, ...where },
    crossRegionReferences,
    names,
    config,
    primaryRegion,
    apiDomainName: service.apiDomainName,
    accessLogs: complete,
  });
  const storage = new StorageStack(app, `${names.prefix}-storage-${primaryRegion}`, {
    env: { region: primaryRegion, ...where },
    names,
    auditDays: config.audit.days,
  });
  service.addStackDependency(storage);
  edge.addStackDependency(storage);
}
