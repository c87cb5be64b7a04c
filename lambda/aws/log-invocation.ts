import { decodeBase64, encodeBase64, parseDecimal } from "../golang/encoding.ts";
import type { LogRecord } from "../proxy/store/log-store.ts";
import { asServedError, isServedErrorCode, ServedError } from "../proxy/store/served-error.ts";

/** A record as JSON: the proof's number in decimals, its head as base64. */
interface PackedRecord {
  readonly path: string;
  readonly version: string;
  readonly zip: string;
  readonly goMod: string;
  readonly proof?: { readonly number: string; readonly head: string };
}

/** The payload with which the log's function is asked to append. */
export interface AppendInvocation {
  readonly append: readonly PackedRecord[];
}

/** With what its schedule asks it to append what waits. */
export const drainEvent = { drain: true } as const;

/** What it answers: the numbers of the records in their order, or why there are none. */
export type AppendOutcome =
  | { readonly numbers: readonly string[] }
  | { readonly error: { readonly code: string; readonly message: string } };

export function packAppend(records: readonly LogRecord[]): AppendInvocation {
  return {
    append: records.map(({ module, zip, goMod, proof }) => ({
      ...{ path: module.path, version: module.version, zip, goMod },
      ...(proof && { proof: { number: String(proof.number), head: encodeBase64(proof.head) } }),
    })),
  };
}

/** The records of an invocation; whether each is one, the log itself checks. Throws `ServedError` "internal". */
export function unpackAppend({ append }: AppendInvocation): readonly LogRecord[] {
  return append.map(({ path, version, zip, goMod, proof }) => {
    const number = proof && parseDecimal(proof.number);
    const head = proof && decodeBase64(proof.head);
    if (proof !== undefined && (number === undefined || head === undefined)) throw noAnswer("a record");
    return {
      module: { path, version },
      zip,
      goMod,
      proof: number === undefined || !head ? undefined : { number, head },
    };
  });
}

/** The outcome of a failure. Only `ServedError` has a text that is meant for people. */
export function packLogFailure(error: unknown): AppendOutcome {
  const { code, message } = asServedError(error);
  return { error: { code, message } };
}

/** The numbers of so many records. Throws the `ServedError` that the log ended with. */
export function unpackNumbers(payload: Uint8Array, count: number): readonly bigint[] {
  const outcome = JSON.parse(new TextDecoder().decode(payload)) as AppendOutcome;
  if ("error" in outcome) {
    const { code, message } = outcome.error;
    throw new ServedError(isServedErrorCode(code) ? code : "internal", message);
  }
  const numbers = outcome.numbers.map(parseDecimal);
  if (numbers.length !== count || numbers.includes(undefined)) throw noAnswer("numbers");
  return numbers as bigint[];
}

function noAnswer(what: string): ServedError {
  return new ServedError("internal", `what went between the log's function and its caller is no ${what}`);
}
