import assert from "node:assert/strict";
import { test } from "node:test";
import { errors } from "undici";
import { toUpstreamFailure } from "../../lambda/upstream/http-failure.ts";

const system = (code: string) => Object.assign(new Error(`connect ${code} 10.0.0.7:443 /secret/path`), { code });

// What the real server of http-upstream.test.ts cannot bring about.
const rows: readonly (readonly [error: unknown, code: string, message: string])[] = [
  [new errors.ConnectTimeoutError("10.0.0.7"), "timeout", "did not accept a connection in time"],
  [system("ETIMEDOUT"), "timeout", "did not accept a connection in time"],
  [system("ENOTFOUND"), "unreachable", "has a name that cannot be resolved"],
  [system("EAI_AGAIN"), "unreachable", "has a name that cannot be resolved at the moment"],
  [system("EHOSTUNREACH"), "unreachable", "cannot be reached"],
  [new AggregateError([system("ECONNREFUSED"), system("EHOSTUNREACH")]), "unreachable", "refused the connection"],
  [system("CERT_HAS_EXPIRED"), "unreachable", "does not have a valid TLS certificate"],
  [system("DEPTH_ZERO_SELF_SIGNED_CERT"), "unreachable", "does not have a valid TLS certificate"],
  [system("UNABLE_TO_VERIFY_LEAF_SIGNATURE"), "unreachable", "does not have a valid TLS certificate"],
  [system("ERR_TLS_CERT_ALTNAME_INVALID"), "unreachable", "does not have a valid TLS certificate"],
  [system("ERR_SSL_WRONG_VERSION_NUMBER"), "unreachable", "does not speak TLS properly"],
  [new errors.HeadersOverflowError(), "bad-answer", "sent an answer that is not valid HTTP"],
  [system("HPE_INVALID_CONSTANT"), "bad-answer", "sent an answer that is not valid HTTP"],
  [system("EWHATEVER"), "unreachable", "cannot be reached"],
  ["no error at all", "unreachable", "cannot be reached"],
  [undefined, "unreachable", "cannot be reached"],
];

for (const [error, code, message] of rows) {
  test(`${error instanceof Error ? error.name : String(error)} ${(error as { code?: string })?.code ?? ""}: ${message}`, () => {
    const failure = toUpstreamFailure(error);
    // No address, path or errno in what people read.
    assert.deepEqual([failure.code, failure.message], [code, message]);
  });
}
