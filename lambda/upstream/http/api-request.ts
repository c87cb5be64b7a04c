import { UpstreamFailure } from "../../proxy/sources/upstream.ts";
import type { ApiAnswer, ApiRequest } from "../credentials/installation-tokens.ts";
import type { RawAnswer } from "./exchange.ts";
import { readBody } from "./http-body.ts";
import type { HttpClient } from "./http-client.ts";
import { toUpstreamFailure } from "./http-failure.ts";
import { readHead } from "./status-details.ts";

/** Milliseconds for a request to an API, and bytes of its answer: it is short and asks for little. */
const time = 30_000;
const limit = 256 * 1024;

/**
 * Sends one request to the API of a host and reads its answer; of one that is no success only the beginning.
 *
 * Throws `UpstreamFailure`, which names the host, for it is another one than that which is to be asked in the end.
 */
export async function sendApiRequest(
  client: Pick<HttpClient, "send">,
  { url, headers, body }: ApiRequest,
): Promise<ApiAnswer> {
  const signal = AbortSignal.timeout(time);
  try {
    const sent = { headers, signal, ...(body !== undefined && { body: Buffer.from(body) }) };
    const answer = await client.send(url, sent);
    const text = answer.statusCode < 300 ? await readWhole(answer, signal) : (await readHead(answer.body)).toString();
    const named = Object.entries(answer.headers).map(([name, values]) => [name, values?.[0]] as const);
    return { status: answer.statusCode, headers: Object.fromEntries(named), text };
  } catch (error) {
    const late = new UpstreamFailure("timeout", "did not answer in time");
    const { code, message } = signal.aborted ? late : toUpstreamFailure(error);
    throw new UpstreamFailure(code, `cannot be asked, because ${url.origin} ${message}`, { cause: error });
  }
}

async function readWhole(answer: RawAnswer, signal: AbortSignal): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readBody(answer, { limit, signal, onEnd: () => {} }).chunks) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
