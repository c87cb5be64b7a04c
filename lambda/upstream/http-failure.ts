import { errors } from "undici";
import { UpstreamFailure } from "../proxy/upstream.ts";
import { RefusedAddressError } from "./address-guard.ts";
import { refusedAddress } from "./http-client.ts";

const unreachableCodes: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refused the connection",
  ECONNRESET: "broke the connection",
  EPIPE: "broke the connection",
  ENOTFOUND: "has a name that cannot be resolved",
  EAI_AGAIN: "has a name that cannot be resolved at the moment",
  EHOSTUNREACH: "cannot be reached",
  ENETUNREACH: "cannot be reached",
  UND_ERR_SOCKET: "broke the connection",
  UND_ERR_CLOSED: "cannot be reached",
  UND_ERR_DESTROYED: "cannot be reached",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "sent less or more than it declared",
};

/** Translates what undici and node:net throw. Reasons of an aborted signal are not to come here. */
export function toUpstreamFailure(error: unknown): UpstreamFailure {
  if (error instanceof UpstreamFailure) return error;
  if (error instanceof RefusedAddressError) return refusedAddress(error);
  if (error instanceof AggregateError && error.errors.length > 0) return toUpstreamFailure(error.errors[0]);
  const failure = (code: "timeout" | "unreachable" | "bad-answer", message: string) =>
    new UpstreamFailure(code, message, { cause: error });
  if (error instanceof errors.ConnectTimeoutError) return failure("timeout", "did not accept a connection in time");
  if (error instanceof errors.HeadersTimeoutError) return failure("timeout", "did not answer in time");
  if (error instanceof errors.BodyTimeoutError)
    return failure("timeout", "stopped sending in the middle of its answer");
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? "";
  if (code === "ETIMEDOUT") return failure("timeout", "did not accept a connection in time");
  if (error instanceof errors.HTTPParserError || code === "UND_ERR_HEADERS_OVERFLOW") {
    return failure("bad-answer", "sent an answer that is not valid HTTP");
  }
  if (/^(ERR_TLS|ERR_SSL|CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO_)/.test(code)) {
    return failure("unreachable", "does not have a valid TLS certificate");
  }
  return failure("unreachable", unreachableCodes[code] ?? "cannot be reached");
}
