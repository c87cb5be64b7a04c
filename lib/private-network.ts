import { ArnFormat, Stack, Validations } from "aws-cdk-lib";
import { SecurityGroup, Subnet, Vpc } from "aws-cdk-lib/aws-ec2";
import { Effect, PolicyStatement, type Role } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import type { Config } from "../lambda/config/config.ts";

/** How Lambda puts a function into a network: with interfaces, which it makes under the function's role. */
const actions = [
  "ec2:AssignPrivateIpAddresses",
  "ec2:CreateNetworkInterface",
  "ec2:DeleteNetworkInterface",
  "ec2:DescribeNetworkInterfaces",
  "ec2:DescribeSubnets",
  "ec2:UnassignPrivateIpAddresses",
];

/** The company's network (`aws.vpc`), for functions that fetch from what only it knows. */
export class PrivateNetwork extends Construct {
  readonly #network: NonNullable<Config["aws"]["vpc"]>;

  constructor(scope: Construct, id: string, network: NonNullable<Config["aws"]["vpc"]>) {
    super(scope, id);
    this.#network = network;
  }

  /** The properties of a function that runs in it. */
  get placement() {
    const { vpcId, subnetIds, securityGroupIds } = this.#network;
    return {
      // Its zones are nowhere used, and asking for them would need credentials at synth.
      vpc: Vpc.fromVpcAttributes(this, "Vpc", { vpcId, availabilityZones: ["unknown"] }),
      vpcSubnets: { subnets: subnetIds.map((subnet) => Subnet.fromSubnetId(this, subnet, subnet)) },
      securityGroups: securityGroupIds.map((group) => SecurityGroup.fromSecurityGroupId(this, group, group)),
    };
  }

  /** Lets Lambda make the interfaces of a function, and not the function's own code. */
  permit(role: Role, functionName: string): void {
    const stack = Stack.of(this);
    const resource = { service: "lambda", resource: "function", resourceName: functionName };
    const functionArn = stack.formatArn({ ...resource, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
    const conditions = { ArnEquals: { "lambda:SourceFunctionArn": functionArn } };
    role.addToPolicy(new PolicyStatement({ actions, resources: ["*"] }));
    role.addToPolicy(new PolicyStatement({ effect: Effect.DENY, actions, resources: ["*"], conditions }));
    Validations.of(role).acknowledge({
      id: "AwsSolutions-IAM5[Resource::*]",
      reason: "Interfaces have no name before they are made; the function's own code is denied them.",
    });
  }
}
