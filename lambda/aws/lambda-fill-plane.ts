import { InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import type { Clock } from "../proxy/store/clock.ts";
import type { FillAnswer, FillPlane, FillRequest } from "../proxy/store/fill-plane.ts";
import { ServedError } from "../proxy/store/served-error.ts";
import { awsErrorName } from "./aws-failure.ts";
import { type FillInvocation, unpackOutcome } from "./fill-invocation.ts";

export interface LambdaFillPlaneOptions {
  /** Makes one attempt per call: a second one of its own would be a second fill. */
  readonly client: LambdaClient;
  /** Name or ARN, with the alias. */
  readonly functionName: string;
  readonly clock: Pick<Clock, "now" | "sleep">;
  /** When the API received the request that is being answered: patience counts from then, a cold start included. */
  readonly since: () => number;
}

/** Milliseconds after which a miss stops waiting; the API gives up after 30 s, and the fill itself goes on. */
export const patience = 25_000;

/** Milliseconds that the call has in any case: enough to be sent, so that the fill begins however late it is. */
const shortestCall = 2_000;

/**
 * Milliseconds for which a free place is waited for: whoever waits takes one of those that all functions of the account share,
 * and so may keep the fill from it that would free them. Afterwards the client is sent back, and comes again.
 */
const throttlePatience = 2_000;

const throttlePauses = { first: 100, longest: 800 } as const;

/**
 * The fill plane behind one synchronous invocation.
 *
 * Throws `ServedError` "fill-timeout" when 25 s of the request are over, or 2 s of it without a free place: to be throttled is
 * tried again so long, any other failure is not.
 */
export class LambdaFillPlane implements FillPlane {
  readonly #options: LambdaFillPlaneOptions;

  constructor(options: LambdaFillPlaneOptions) {
    this.#options = options;
  }

  async fill(request: FillRequest): Promise<FillAnswer> {
    const { clock, since } = this.#options;
    const deadline = since() + patience;
    for (let pause: number = throttlePauses.first; ; pause = Math.min(pause * 2, throttlePauses.longest)) {
      const payload = await this.#invoke({ request, waitUntil: deadline }, deadline - clock.now());
      if (payload !== undefined) return unpackOutcome(payload);
      if (clock.now() + pause > since() + throttlePatience) throw tooLong();
      await clock.sleep(pause * (0.5 + Math.random() / 2));
    }
  }

  /** The payload of the answer, or `undefined` when there was no place for another fill. */
  async #invoke(invocation: FillInvocation, milliseconds: number): Promise<Uint8Array | undefined> {
    const { client, functionName } = this.#options;
    const signal = AbortSignal.timeout(Math.max(Math.ceil(milliseconds), shortestCall));
    try {
      const answer = await client.send(
        new InvokeCommand({ FunctionName: functionName, Payload: Buffer.from(JSON.stringify(invocation)) }),
        { abortSignal: signal },
      );
      if (answer.FunctionError !== undefined || answer.Payload === undefined)
        throw new Error("the fill function failed");
      return answer.Payload;
    } catch (cause) {
      if (signal.aborted) throw tooLong(cause);
      if (awsErrorName(cause) === "TooManyRequestsException") return undefined;
      throw new ServedError("store-failed", "the fill plane could not be asked", { cause });
    }
  }
}

function tooLong(cause?: unknown): ServedError {
  return new ServedError("fill-timeout", "the fetch of this version is still under way; try again", { cause });
}
