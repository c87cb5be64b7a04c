import { UpstreamFailure, type UpstreamFailureCode } from "../../proxy/sources/upstream.ts";
import { RefusedAddressError } from "./address-guard.ts";

const failures: Readonly<Record<string, readonly [UpstreamFailureCode, string]>> = {
  ECONNREFUSED: ["unreachable", "refused the connection"],
  ECONNRESET: ["unreachable", "broke the connection"],
  EPIPE: ["unreachable", "broke the connection"],
  ERR_STREAM_PREMATURE_CLOSE: ["unreachable", "broke the connection"],
  ENOTFOUND: ["unreachable", "has a name that cannot be resolved"],
  EAI_AGAIN: ["unreachable", "has a name that cannot be resolved at the moment"],
  ETIMEDOUT: ["connect-timeout", "did not accept a connection in time"],
  ERR_SOCKET_CONNECTION_TIMEOUT: ["connect-timeout", "did not accept a connection in time"],
};

/** Translates what node:http, node:tls and node:net throw. Reasons of an aborted signal are not to come here. */
export function toUpstreamFailure(error: unknown): UpstreamFailure {
  if (error instanceof UpstreamFailure) return error;
  if (error instanceof RefusedAddressError) return refusedAddress(error);
  if ((error as NodeJS.ErrnoException | undefined)?.code === "ERR_PROXY_TUNNEL") return proxyFailure(error);
  // node gives an AggregateError, of one error for each address that was tried, the code of its first.
  const [failureCode, message] = translate((error as NodeJS.ErrnoException | undefined)?.code ?? "");
  return new UpstreamFailure(failureCode, message, { cause: error });
}

/** Of what node says only the proxy's status goes on: its message has the proxy's address. */
function proxyFailure(error: unknown): UpstreamFailure {
  const status = Number((error as { readonly statusCode?: unknown }).statusCode);
  const why = status >= 100 && status <= 599 ? `refused with ${status}` : "did not make";
  return new UpstreamFailure("unreachable", `cannot be reached: the forward proxy ${why} a connection to it`);
}

function translate(code: string): readonly [UpstreamFailureCode, string] {
  if (code.startsWith("HPE_")) return ["bad-answer", notHttp];
  // zlib, and Brotli's decoder.
  if (/^(Z_|ERR__ERROR_)/.test(code)) return ["bad-answer", "sent an answer that cannot be decoded"];
  if (/^(ERR_TLS|ERR_SSL|CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO_)/.test(code)) {
    return ["unreachable", "does not have a valid TLS certificate"];
  }
  return failures[code] ?? ["unreachable", "cannot be reached"];
}

/** What is said of an answer that the parser, or its user, cannot make sense of. */
export const notHttp = "sent an answer that is not valid HTTP";

/** The failure of a host learnt from input that is where only trusted ones may be; `cause` is the resolver's, if it came to that. */
export function refusedAddress(cause?: unknown): UpstreamFailure {
  const message = "leads to a private address, and allowHosts does not name its host";
  return new UpstreamFailure("refused-address", message, { cause });
}
