import { printable } from "../../lambda/golang/shown-text.ts";
import { type Answer, exchange, type Question } from "./exchange.ts";
import { PassingFailure } from "./retries.ts";

/** The answer, unless it is one that may be another the next time. Throws `PassingFailure`. */
export async function ask(question: Question): Promise<Answer> {
  const answer = await exchange(question).catch((cause: NodeJS.ErrnoException) => {
    const code = /^[A-Z_]{3,40}$/.test(cause.code ?? "") ? ` (${cause.code})` : "";
    throw new PassingFailure(`no answer from ${question.url.host}${code}`, undefined, { cause });
  });
  if (!isPassing(answer.status)) return answer;
  throw new PassingFailure(`${question.url.host}: ${detailOf(answer, parse(answer.text))}`, retryAfter(answer));
}

function isPassing(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && ![501, 505, 507, 511].includes(status));
}

function retryAfter({ headers }: Answer): number | undefined {
  const text = headers["retry-after"] ?? "";
  return /^\d{1,6}$/.test(text) ? Number(text) : undefined;
}

/** What an answer says for a person, in one line. */
export function detailOf({ status, text, headers }: Answer, said: Readonly<Record<string, unknown>>): string {
  if (typeof said.detail === "string") return printable(said.detail, 1000);
  const isText = headers["content-type"]?.startsWith("text/plain") === true;
  const line = isText ? (text.split("\n", 1)[0] ?? "") : "";
  return line === "" ? `answered ${status}` : printable(line, 1000);
}

/** The object that JSON holds, or an empty one. */
export function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
