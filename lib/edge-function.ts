import { CustomResource, Duration } from "aws-cdk-lib";
import {
  Function as CloudFrontFunction,
  FunctionCode,
  FunctionRuntime,
  KeyValueStore,
} from "aws-cdk-lib/aws-cloudfront";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import type { Config } from "../lambda/config/config.ts";
import { bundleEdge } from "./edge-bundle.ts";
import { Handler } from "./handler.ts";
import type { Names } from "./names.ts";
import { StoredData } from "./stored-data.ts";

export interface EdgeFunctionProps {
  readonly names: Names;
  readonly config: Config;
  /** Where the secret is. */
  readonly primaryRegion: string;
}

/**
 * The viewer-request function with what it knows: a KeyValueStore, filled by a custom resource.
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
    const filled = this.#fill(store, props);
    this.function = new CloudFrontFunction(this, "Function", {
      functionName: `${names.prefix}-viewer-request`,
      comment: "Decides who may, before the cache, and makes paths canonical",
      runtime: FunctionRuntime.JS_2_0,
      code: FunctionCode.fromInline(bundleEdge()),
      keyValueStore: store,
    });
    this.function.node.addDependency(filled);
  }

  /** Runs again whenever what the edge must know of the configuration changes. */
  #fill(store: KeyValueStore, props: EdgeFunctionProps): CustomResource {
    const { names, config } = props;
    const handler = new Handler(this, "Keys", {
      handler: "edge-keys",
      functionName: names.function("edge-keys"),
      description: "Writes what the edge function knows into its KeyValueStore",
      // `modfront token --stack` reads them too: they are all it takes to find the tokens of a deployment.
      environment: {
        MODFRONT_EDGE_SECRET: names.edgeSecret,
        MODFRONT_PRIMARY_REGION: props.primaryRegion,
        MODFRONT_KEY_VALUE_STORE: store.keyValueStoreArn,
      },
      settings: { access: config.access, private: config.private },
      memorySize: 256,
      timeout: Duration.minutes(2),
      canary: false,
    });
    const data = new StoredData(this, "Data", { names, region: props.primaryRegion });
    handler.function.addToRolePolicy(data.readSecret(names.edgeSecret));
    handler.function.addToRolePolicy(
      new PolicyStatement({
        actions: ["DescribeKeyValueStore", "GetKey", "UpdateKeys"].map((verb) => `cloudfront-keyvaluestore:${verb}`),
        resources: [store.keyValueStoreArn],
      }),
    );
    return new CustomResource(this, "KeyValuesFilled", {
      serviceToken: handler.function.functionArn,
      resourceType: "Custom::EdgeKeyValues",
      properties: {
        keyValueStoreArn: store.keyValueStoreArn,
        // Only to be told of a change: the function itself reads its settings beside its code.
        version: handler.function.currentVersion.version,
      },
    });
  }
}
