import {
  Function as CloudFrontFunction,
  FunctionCode,
  FunctionRuntime,
  KeyValueStore,
} from "aws-cdk-lib/aws-cloudfront";
import { Construct } from "constructs";
import type { Config } from "../lambda/config/config.ts";
import { ControlPlane } from "./control-plane.ts";
import { bundleEdge } from "./edge-bundle.ts";
import type { Names } from "./names.ts";

export interface EdgeFunctionProps {
  readonly names: Names;
  readonly config: Config;
  /** Where the secret is. */
  readonly primaryRegion: string;
}

/**
 * The viewer-request function with what it knows: a KeyValueStore, filled by the control plane.
 *
 * CloudFormation could only fill the store from a file among the assets, and one value is a key. So a function of ours
 * carries it from Secrets Manager into the store, and no template, asset or log ever has it.
 */
export class EdgeFunction extends Construct {
  readonly function: CloudFrontFunction;

  constructor(scope: Construct, id: string, props: EdgeFunctionProps) {
    super(scope, id);
    const { names } = props;
    const store = new KeyValueStore(this, "KeyValues", {
      keyValueStoreName: names.prefix,
      comment: "Who may, as modfront's edge function reads it",
    });
    const { keyValuesWritten } = new ControlPlane(this, "Control", { ...props, keyValues: store });
    this.function = new CloudFrontFunction(this, "Function", {
      functionName: `${names.prefix}-viewer-request`,
      comment: "Decides who may, before the cache, and makes paths canonical",
      runtime: FunctionRuntime.JS_2_0,
      code: FunctionCode.fromInline(bundleEdge()),
      keyValueStore: store,
    });
    this.function.node.addDependency(keyValuesWritten);
  }
}
