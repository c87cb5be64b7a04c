import { existsSync, readFileSync } from "node:fs";
import { App, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import { type Config, parseConfig } from "../lambda/config/config.ts";
import { addModfront, type ModfrontProps } from "../lib/modfront.ts";

/** The configuration file of the folder in which `cdk` runs; without one everything has its default. */
function readConfig(): Config {
  const path = process.env.MODFRONT_CONFIG ?? "modfront.config.json";
  return parseConfig(existsSync(path) ? readFileSync(path, "utf8") : "{}");
}

/** What `cdk deploy` deploys; `-c emulator=true` leaves out what the emulator of `npm run e2e` cannot make. */
export function modfrontProps(config: Config, app: App): ModfrontProps {
  return { config, complete: app.node.tryGetContext("emulator") !== "true" };
}

if (import.meta.main) {
  const app = new App();
  // The command line says whose credentials it has; without any the templates fit every account.
  addModfront(app, { ...modfrontProps(readConfig(), app), account: process.env.CDK_DEFAULT_ACCOUNT });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  app.synth();
}
