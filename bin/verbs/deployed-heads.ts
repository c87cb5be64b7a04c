import type { DeployedHeads } from "../../lambda/aws/open-deployed-heads.ts";
import { functionName } from "../../lambda/config/env.ts";

/** What the deployment called so knows of checksum databases. The clients of AWS are loaded for this alone. */
export async function deployedHeads(stack: string): Promise<DeployedHeads> {
  const { openDeployedHeads } = await import("../../lambda/aws/open-deployed-heads.ts");
  return await openDeployedHeads(stack, {
    control: functionName(stack, "control"),
    fill: functionName(stack, "fill"),
  });
}
