import { CloudFrontClient, CreateInvalidationCommand } from "@aws-sdk/client-cloudfront";
import { cacheTag } from "./cache-tag.ts";

/** Has a distribution forget all that it keeps of modules, under the tags of their answers. `reference` is of this call alone. */
export async function invalidate(
  client: Pick<CloudFrontClient, "send">,
  distribution: string,
  modules: readonly string[],
  reference: string,
): Promise<void> {
  // What begins so is a tag, and no path.
  const Items = [...new Set(modules)].map((module) => `#${cacheTag(module)}`);
  const Paths = { Quantity: Items.length, Items };
  const InvalidationBatch = { CallerReference: reference, Paths };
  await client.send(new CreateInvalidationCommand({ DistributionId: distribution, InvalidationBatch }));
}

export function openCloudFront(): CloudFrontClient {
  return new CloudFrontClient({});
}
