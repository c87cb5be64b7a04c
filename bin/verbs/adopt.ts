import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TemplateResources } from "../../lambda/aws/kept-resources.ts";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import { parseVerbArgs, type Verb } from "./verb.ts";

/** One stack of what `cdk synth` wrote. */
interface SynthesisedStack {
  readonly name: string;
  readonly region: string;
  readonly resources: TemplateResources;
}

/** `modfront adopt`: has a new deployment take in the data that an earlier one left. */
export const adopt: Verb = {
  usage: "[--app FOLDER]",
  summary: "after cdk synth: finds what an earlier deployment left, and says how cdk import takes it in",
  run: async (args, { print, note }) => {
    const { values } = parseVerbArgs(args, { app: { type: "string" } }, { least: 0, most: 0 });
    const app = values.app ?? "cdk.out";
    const { findKept } = await import("../../lambda/aws/kept-resources.ts");
    let found = 0;
    for (const { name, region, resources } of readStacks(app)) {
      const kept = await findKept(resources, region);
      if (Object.keys(kept).length === 0) continue;
      found++;
      const mapping = join(app, `${name}.kept.json`);
      writeFileSync(mapping, `${JSON.stringify(kept, undefined, 2)}\n`);
      print(`npx cdk import ${name} --app ${app} --resource-mapping ${mapping}`);
    }
    note(found === 0 ? "nothing was left: cdk deploy makes all anew" : "then cdk deploy --all");
    return 0;
  },
};

function readStacks(app: string): readonly SynthesisedStack[] {
  const { artifacts } = readJson(join(app, "manifest.json")) as Manifest;
  return Object.entries(artifacts).flatMap(([name, { type, environment, properties }]) => {
    if (type !== "aws:cloudformation:stack" || properties?.templateFile === undefined) return [];
    const { Resources } = readJson(join(app, properties.templateFile)) as { readonly Resources: TemplateResources };
    const region = environment?.split("/").at(-1) ?? "";
    return [{ name: properties.stackName ?? name, region, resources: Resources }];
  });
}

interface Manifest {
  readonly artifacts: Readonly<
    Record<
      string,
      {
        readonly type: string;
        /** `aws://ACCOUNT/REGION`. */
        readonly environment?: string;
        readonly properties?: { readonly templateFile?: string; readonly stackName?: string };
      }
    >
  >;
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new CodedError("config", `${path} cannot be read: run cdk synth first, or name its folder with --app`, {
      cause,
    });
  }
}
