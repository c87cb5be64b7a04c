import type { HttpRequest } from "./handler.ts";
import type { HttpAnswer } from "./result.ts";

/** An answer of one line: what went wrong, for a person. */
export function lineAnswer(status: number, line: string): HttpAnswer {
  return {
    kind: "answer",
    status,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    },
    body: new TextEncoder().encode(`${line}\n`),
  };
}

/** What the statuses are called that an answer of one line can have. */
const titles: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  503: "Service Unavailable",
};

/** An error as RFC 9457 has it for who accepts JSON and is not go, which prints what it gets; other answers as they are. */
export function asProblem({ headers }: Pick<HttpRequest, "headers">, answer: HttpAnswer): HttpAnswer {
  const title = titles[answer.status];
  const isLine = answer.headers["content-type"]?.startsWith("text/plain") && !("stored" in answer.body);
  const isGo = /^Go-http-client\//.test(headers["user-agent"] ?? "");
  if (title === undefined || !isLine || isGo || !acceptsJson(headers.accept ?? "")) return answer;
  const detail = new TextDecoder().decode(answer.body as Uint8Array).trimEnd();
  const problem = { type: "about:blank", title, status: answer.status, detail };
  return {
    ...answer,
    headers: { ...answer.headers, "content-type": "application/problem+json" },
    body: new TextEncoder().encode(`${JSON.stringify(problem)}\n`),
  };
}

function acceptsJson(accept: string): boolean {
  return accept
    .slice(0, 1000)
    .split(",")
    .some((each) => /^\s*application\/(?:json|problem\+json)\s*(?:;|$)/i.test(each));
}
