import type { ZodType } from "zod";
import type { HttpRequest } from "./handler.ts";
import { lineAnswer } from "./problem.ts";
import type { HttpAnswer } from "./result.ts";

/** Bytes: what a row takes is a handful of names. */
const largestBody = 16_384;

/** Returns the body of a request as its row wants it, or the answer that says what is wrong with it. */
export async function readInput(
  { headers, body }: HttpRequest,
  schema: ZodType,
): Promise<{ readonly kind: "input"; readonly value: unknown } | HttpAnswer> {
  // A page of another site cannot send this type without asking first, and is never told that it may.
  if (!/^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i.test(headers["content-type"] ?? ""))
    return lineAnswer(415, "the body must be JSON: content-type application/json");
  const bytes = await body?.(largestBody);
  if (bytes === undefined) return lineAnswer(413, `the body has more than ${largestBody} bytes`);
  const value = parseJson(bytes);
  if (value === undefined) return lineAnswer(400, "the body is not valid JSON");
  const parsed = schema.safeParse(value);
  if (parsed.success) return { kind: "input", value: parsed.data };
  const [issue] = parsed.error.issues;
  return lineAnswer(
    400,
    `${issue?.path.map(String).join(".") || "the body"}: ${issue?.message ?? "is wrong"}`.slice(0, 300),
  );
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
