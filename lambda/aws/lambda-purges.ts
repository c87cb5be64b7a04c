import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import type { Purges } from "../proxy/store/purges.ts";
import { edgeRegion } from "./edge-region.ts";

/** What that function is told. */
export interface PurgeEvent {
  readonly modules: readonly string[];
}

/**
 * Purges of CloudFront's cache by the one function that may. Nobody waits for it: CloudFront takes some seconds, and what fails is
 * made up for by the time to live.
 */
export class LambdaPurges implements Purges {
  readonly #client: Pick<LambdaClient, "send">;
  readonly #functionName: string;
  readonly #failed: (error: unknown) => void;

  /** `functionName` is a name or ARN with the alias. */
  constructor(client: Pick<LambdaClient, "send">, functionName: string, failed: (error: unknown) => void) {
    this.#client = client;
    this.#functionName = functionName;
    this.#failed = failed;
  }

  async purge(module: string): Promise<void> {
    const event: PurgeEvent = { modules: [module] };
    const Payload = Buffer.from(JSON.stringify(event));
    try {
      const call = new InvokeCommand({ FunctionName: this.#functionName, InvocationType: "Event", Payload });
      await this.#client.send(call);
    } catch (error) {
      this.#failed(error);
    }
  }
}

/** Those of a deployment. `failed` is told of calls that came to nothing. */
export function openPurges(functionName: string, failed: (error: unknown) => void): Purges {
  return new LambdaPurges(new LambdaClient({ region: edgeRegion }), functionName, failed);
}
