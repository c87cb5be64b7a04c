import type { CustomResource } from "aws-cdk-lib";
import {
  Function as CloudFrontFunction,
  FunctionCode,
  FunctionRuntime,
  KeyValueStore,
} from "aws-cdk-lib/aws-cloudfront";
import { Construct } from "constructs";
import type { Config } from "../lambda/config/config.ts";
import type { Alerts } from "./alerts.ts";
import { ControlPlane } from "./control-plane.ts";
import { bundleEdge, type EdgePlane } from "./edge-bundle.ts";
import type { Names } from "./names.ts";

export interface EdgeFunctionsProps {
  readonly names: Names;
  readonly config: Config;
  /** Where the secret is. */
  readonly primaryRegion: string;
  readonly alerts: Alerts;
}

/**
 * The viewer-request functions with what they know: a KeyValueStore, filled by the control plane.
 *
 * CloudFormation could only fill the store from a file among the assets, and one value is a key. So a function of ours
 * carries it from Secrets Manager into the store, and no template, asset or log ever has it.
 */
export class EdgeFunctions extends Construct {
  readonly functions: Readonly<Record<EdgePlane, CloudFrontFunction>>;
  readonly keyValues: KeyValueStore;
  /** Must come when all else is done that a deployment could fail at: what it writes is for these functions alone. */
  readonly keyValuesFinished: CustomResource;

  constructor(scope: Construct, id: string, props: EdgeFunctionsProps) {
    super(scope, id);
    const { names, config } = props;
    const store = new KeyValueStore(this, "KeyValues", {
      keyValueStoreName: names.prefix,
      comment: "Who may, as modfront's edge function reads it",
    });
    this.keyValues = store;
    const control = new ControlPlane(this, "Control", { ...props, keyValues: store });
    this.keyValuesFinished = control.keyValuesFinished;
    const make = (plane: EdgePlane, id: string, functionName: string, comment: string) => {
      const made = new CloudFrontFunction(this, id, {
        functionName,
        comment,
        runtime: FunctionRuntime.JS_2_0,
        code: FunctionCode.fromInline(bundleEdge(plane, plane === "site" ? "none" : config.audit.fetches)),
        keyValueStore: store,
      });
      made.node.addDependency(control.keyValuesPrepared);
      return made;
    };
    const { prefix } = names;
    const decides = "Decides who may, before the cache, and makes paths canonical";
    const introduces = "Says who asks for what is not of the module protocol";
    this.functions = {
      protocol: make("protocol", "Function", `${prefix}-viewer-request`, decides),
      site: make("site", "SiteFunction", `${prefix}-site-request`, introduces),
    };
  }
}
