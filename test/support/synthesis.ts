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
export function synthesise(config: unknown = {}, context: Record<string, string> = {}): Synthesis {
  const app = new App({ context: { ...context, "aws:cdk:disable-stack-trace": "true" } });
  addModfront(app, modfrontProps(parseConfig(JSON.stringify(config)), app));
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
