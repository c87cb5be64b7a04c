import type { FileLinks, FillAnswer, FillRequest } from "../proxy/store/fill-plane.ts";
import { fileKey } from "../proxy/store/layout.ts";
import { asServedError, ServedError, type ServedErrorCode } from "../proxy/store/served-error.ts";

/** The payload with which the serve plane invokes the fill plane. */
export interface FillInvocation {
  readonly request: FillRequest;
  /** When the caller stops waiting, in milliseconds since the epoch; who only waits for another fetch stops with it. */
  readonly waitUntil: number;
}

/** What the fill plane answers: bytes as base64, a stored file with an address to read it from, or why neither. */
export type FillOutcome =
  | { readonly body: string; readonly stale?: boolean; readonly freshUntil?: number }
  | { readonly stored: string; readonly size: number; readonly links: FileLinks }
  | { readonly error: { readonly code: ServedErrorCode; readonly message: string } };

/**
 * The largest body in bytes that is handed over. Lambda's answers end at 6 MB, twice on the way of a miss, and base64
 * makes three bytes four.
 */
export const bodyLimit = 4 * 1024 * 1024;

/** The outcome of an answer; `link` makes the address under which a stored file can be read for a while. */
export async function packAnswer(
  request: FillRequest,
  answer: FillAnswer,
  link: (key: string) => Promise<FileLinks>,
): Promise<FillOutcome> {
  if ("body" in answer && answer.body.length <= bodyLimit)
    return { ...answer, body: Buffer.from(answer.body).toString("base64") };
  const stored = storedFile(request, answer);
  if (stored !== undefined) return { ...stored, links: await link(stored.stored) };
  throw new ServedError("internal", `the answer to ${request.kind} is too large to hand over`);
}

/** The file that an answer is: a zip, or an `.info` or go.mod, which are stored by the time they are answered. */
function storedFile(request: FillRequest, answer: FillAnswer): { stored: string; size: number } | undefined {
  if ("stored" in answer) return { stored: answer.stored, size: answer.size };
  const { kind } = request;
  if (kind !== "info" && kind !== "mod") return undefined;
  return { stored: fileKey(request.module, kind), size: answer.body.length };
}

/** The outcome of a failure. Only `ServedError` has a text that is meant for people. */
export function packFailure(error: unknown): FillOutcome {
  const { code, message } = asServedError(error);
  return { error: { code, message } };
}

/** The answer out of the payload that an invocation returned. Throws the `ServedError` that the fill plane ended with. */
export function unpackOutcome(payload: Uint8Array): FillAnswer {
  const outcome = JSON.parse(new TextDecoder().decode(payload)) as FillOutcome;
  if ("error" in outcome) throw new ServedError(outcome.error.code, outcome.error.message);
  if ("stored" in outcome) return outcome;
  return { ...outcome, body: Buffer.from(outcome.body, "base64") };
}
