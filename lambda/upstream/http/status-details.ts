import type { StatusDetails } from "../../proxy/sources/upstream.ts";
import type { RawAnswer } from "./exchange.ts";

const textBytes = 4_096;
const drainBytes = 65_536;
const drainMilliseconds = 1_000;

/** Reads what an answer that is not 200 says, and ends it. Never fails: the status is what counts. */
export async function readStatusDetails(answer: RawAnswer): Promise<StatusDetails> {
  const head = await readHead(answer.body);
  const plain = /^text\/plain\s*(;|$)/i.test(answer.headers["content-type"]?.[0] ?? "");
  const seconds = answer.headers["retry-after"]?.[0];
  return {
    status: answer.statusCode,
    text:
      plain && answer.headers["content-encoding"] === undefined && head.length > 0 ? head.toString("utf8") : undefined,
    retryAfter: seconds !== undefined && /^\d{1,9}$/.test(seconds) ? Number(seconds) : undefined,
  };
}

/**
 * The first bytes of a body that is not wanted; afterwards it is over.
 *
 * A short one is read to its end so that the connection can be used again (a 404 is the most frequent answer of all), but
 * never waited for longer than a second.
 */
export async function readHead(body: RawAnswer["body"]): Promise<Buffer> {
  const head: Buffer[] = [];
  let bytes = 0;
  body.on("error", () => {});
  const timer = setTimeout(() => body.destroy(), drainMilliseconds);
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      if (bytes < textBytes) head.push(chunk);
      bytes += chunk.length;
      if (bytes > drainBytes) break;
    }
  } catch {
    // Cut off or destroyed: what arrived is enough.
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(head).subarray(0, textBytes);
}
