import { everyone } from "../edge/permit.ts";
import { readMethods, tokenAddress } from "../edge/routes.ts";
import { CodedError } from "../golang/coded-error.ts";
import type { AdmittedRequest } from "../http/handler.ts";
import { lineAnswer } from "../http/problem.ts";
import type { HttpAnswer } from "../http/result.ts";
import type { Route } from "../http/route.ts";
import type { Exchange, ExchangeParts, ShortToken } from "./exchange.ts";
import { ExchangeRate } from "./exchange-rate.ts";

export interface ExchangeRoutesParts extends Pick<ExchangeParts, "issuers" | "subjects" | "now"> {
  readonly exchange: Pick<Exchange, "byIdToken" | "byCertificate">;
  /** Whose share it is that comes from an address. */
  readonly clientOf: (address: string) => string;
}

const json = "application/json";

/** Bytes: an ID token and the few letters around it. */
const largestBody = 32_768;

/** `/-/token`: where to sign in, and a token for who did. */
export function exchangeRoutes(parts: ExchangeRoutesParts): readonly Route[] {
  const rate = new ExchangeRate(parts.now);
  const shown = jsonAnswer({
    issuers: parts.issuers.map(({ issuer, audience, clientId }) => ({
      ...{ issuer, audience },
      ...(clientId !== undefined && { clientId }),
    })),
    certificates: parts.subjects.length > 0,
  });
  return [
    {
      name: "token-issuers",
      address: tokenAddress,
      methods: readMethods,
      access: everyone,
      output: { contentType: json, about: "The issuers whose ID tokens are taken, and whether certificates are." },
      handler: async () => shown,
    },
    {
      name: "token-exchange",
      address: tokenAddress,
      methods: ["POST"],
      access: everyone,
      output: { contentType: json, about: "A token and its end, for an ID token or a client certificate." },
      handler: async (request) => {
        if (!rate.take(parts.clientOf(request.origin?.address ?? "")))
          return withHeader(lineAnswer(429, "you ask for too many tokens: try again"), "retry-after", "10");
        const proof = await readProof(request);
        if ("kind" in proof) return proof;
        return await answered(() => give(parts.exchange, request, proof));
      },
    },
  ];
}

interface Proof {
  /** What the request has, a certificate aside. */
  readonly idToken?: string;
}

/** Takes the ID token out of a request: of its body, else of its Authorization. */
async function readProof({ headers, body }: AdmittedRequest): Promise<Proof | HttpAnswer> {
  const tooLong = lineAnswer(413, `the body has more than ${largestBody} bytes`);
  // Before anything of it is read.
  if (Number(headers["content-length"] ?? 0) > largestBody) return tooLong;
  const bytes = await body?.(largestBody);
  if (bytes === undefined && body !== undefined) return tooLong;
  if (bytes !== undefined && bytes.length > 0) return readBody(headers["content-type"] ?? "", bytes);
  const [, bearer] = /^bearer +([\w.-]+)$/i.exec(headers.authorization ?? "") ?? [];
  if (bearer?.startsWith("mf_")) return lineAnswer(400, "this is a modfront token already: an ID token is expected");
  if (bearer !== undefined) return { idToken: bearer };
  return headers.authorization === undefined ? {} : lineAnswer(400, "an ID token is expected, as Bearer");
}

function readBody(type: string, bytes: Uint8Array): Proof | HttpAnswer {
  if (!/^application\/json\s*(?:;|$)/i.test(type))
    return lineAnswer(415, "the body must be JSON: content-type application/json");
  const idToken = idTokenOf(bytes);
  return idToken === undefined ? lineAnswer(400, 'the body must be JSON: { "id_token": "…" }') : { idToken };
}

function idTokenOf(bytes: Uint8Array): string | undefined {
  try {
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return typeof value?.id_token === "string" && value.id_token !== "" ? value.id_token : undefined;
  } catch {
    return undefined;
  }
}

async function give(
  exchange: ExchangeRoutesParts["exchange"],
  { origin, certificate }: AdmittedRequest,
  { idToken }: Proof,
): Promise<ShortToken> {
  const from = { request: origin?.request ?? "", address: origin?.address ?? "" };
  if (idToken !== undefined) return await exchange.byIdToken(idToken, from);
  const shown = certificate?.();
  if (shown !== undefined) return await exchange.byCertificate(shown, from);
  throw new CodedError(
    "no-proof",
    "an ID token is expected, as id_token of a JSON body or as Bearer, or a client certificate",
  );
}

/** What the refusals mean to who asked. */
const statuses: Readonly<Record<string, number>> = {
  "no-proof": 401,
  "id-token-refused": 401,
  "certificate-refused": 401,
  "issuer-unknown": 403,
  "no-rule": 403,
  "claim-refused": 403,
  "used-already": 403,
  "bad-token-request": 403,
  "too-many": 429,
};

async function answered(work: () => Promise<ShortToken>): Promise<HttpAnswer> {
  try {
    const { token, expires } = await work();
    return jsonAnswer({ token, expires: new Date(expires * 1000).toISOString() });
  } catch (error) {
    const status = error instanceof CodedError ? statuses[error.code] : undefined;
    if (status === undefined) throw error;
    const answer = lineAnswer(status, (error as CodedError).message);
    if (status === 429) return withHeader(answer, "retry-after", "1");
    return status === 401 ? withHeader(answer, "www-authenticate", "Bearer") : answer;
  }
}

function withHeader(answer: HttpAnswer, name: string, value: string): HttpAnswer {
  return { ...answer, headers: { ...answer.headers, [name]: value } };
}

function jsonAnswer(value: unknown): HttpAnswer {
  const headers = { "content-type": json, "cache-control": "no-store", "x-content-type-options": "nosniff" };
  return { kind: "answer", status: 200, headers, body: new TextEncoder().encode(`${JSON.stringify(value)}\n`) };
}
