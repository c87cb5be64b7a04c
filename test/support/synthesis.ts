import assert from "node:assert/strict";
import { App } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { modfrontProps } from "../../bin/app.ts";
import { parseConfig } from "../../lambda/config/config.ts";
import { addModfront } from "../../lib/modfront.ts";

export interface Synthesis {
  readonly storage: Template;
  readonly service: Template;
  readonly edge: Template;
}

/** The app of bin/app.ts with a configuration, as templates. */
export function synthesise(config: unknown = {}, context: Record<string, string> = {}, account?: string): Synthesis {
  const app = new App({ context: { ...context, "aws:cdk:disable-stack-trace": "true" } });
  addModfront(app, { ...modfrontProps(parseConfig(JSON.stringify(config)), app), account });
  const assembly = app.synth();
  const find = (part: string) => {
    const stack = assembly.stacks.find((each) => each.stackName.includes(part));
    return Template.fromJSON(stack?.template ?? { Resources: {} });
  };
  return { storage: find("-storage"), service: find("-service"), edge: find("-edge") };
}

/** The properties of all resources of one type. */
export function propertiesOf<Properties = Readonly<Record<string, unknown>>>(
  template: Template,
  type: string,
): readonly Properties[] {
  return Object.values(template.findResources(type)).map((resource) => resource.Properties ?? {});
}

interface Statement {
  readonly Effect: "Allow" | "Deny";
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

export interface Policy {
  readonly Roles: readonly { readonly Ref: string }[];
  readonly PolicyDocument: { readonly Statement: readonly Statement[] };
}

/** All that the role of a function allows: no managed policy adds to it. */
export function statementsOf(template: Template, functionName: string): readonly Statement[] {
  const functions = Object.values(template.findResources("AWS::Lambda::Function"));
  const found = functions.find((each) => each.Properties.FunctionName === functionName);
  const role = found?.Properties.Role["Fn::GetAtt"][0];
  assert.ok(role, functionName);
  assert.deepEqual(template.toJSON().Resources[role].Properties.ManagedPolicyArns, undefined);
  return propertiesOf<Policy>(template, "AWS::IAM::Policy")
    .filter(({ Roles }) => Roles.some(({ Ref }) => Ref === role))
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
}
