import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { AccessSettings } from "../edge/access-settings.ts";
import type { RoutedPath } from "../edge/routed-path.ts";
import type { RouteName } from "../edge/routes.ts";
import { matchPrefixPatterns } from "../golang/module.ts";
import { createHandler, type HttpHandler, type HttpRequest } from "../http/handler.ts";
import type { Served } from "../proxy/serve/serve.ts";
import type { Clock } from "../proxy/store/clock.ts";
import type { FillPlane } from "../proxy/store/fill-plane.ts";
import type { VersionIndex } from "../proxy/store/version-index.ts";
import { createApiHandler } from "./api-handler.ts";
import { DynamoVersionIndex } from "./dynamo-version-index.ts";
import { IdentityKeys, readSecret } from "./identity-keys.ts";
import { LambdaFillPlane } from "./lambda-fill-plane.ts";

export interface ReaderSurroundings {
  readonly name: string;
  readonly edgeSecret: string;
  readonly settings: {
    readonly private: readonly string[];
    readonly access: { readonly anonymous?: AccessSettings["anonymous"] | undefined };
  };
  readonly clock: Clock;
  readonly traceId: () => string | undefined;
  readonly write: (line: string) => void;
}

type Serve = (routed: RoutedPath) => Promise<Served>;

/** What is common to the functions behind the API: the middy stack around a use-case, and the gate before it. */
export class Reader {
  readonly #around: ReaderSurroundings;
  readonly #private: string;
  readonly #failures = new WeakMap<HttpRequest, unknown>();
  #receivedAt = 0;

  constructor(around: ReaderSurroundings) {
    this.#around = around;
    this.#private = around.settings.private.join(",");
  }

  readonly isPrivate = (module: string): boolean => matchPrefixPatterns(this.#private, module);

  /** A use-case of the serve plane under the one middy stack. */
  wrap(serve: Serve): HttpHandler {
    return createHandler({
      serve,
      isPrivate: this.isPrivate,
      observe: (request, _answer, error) => void (error === undefined || this.#failures.set(request, error)),
    });
  }

  /** The fill plane, with one attempt for each call: a second one would be a second fill. */
  openFillPlane(functionName: string): FillPlane {
    const client = new LambdaClient({ maxAttempts: 1 });
    return new LambdaFillPlane({ client, functionName, clock: this.#around.clock, since: () => this.#receivedAt });
  }

  /** The function of one origin path. Nobody is let in without a token unless the configuration says so. */
  function(handlers: Partial<Readonly<Record<RouteName, HttpHandler>>>) {
    const { name, edgeSecret, settings, clock, traceId, write } = this.#around;
    const secrets = new SecretsManagerClient({});
    return createApiHandler({
      name,
      handlers,
      failures: this.#failures,
      identityKeys: new IdentityKeys(() => readSecret(secrets, edgeSecret), clock.now),
      access: { anonymous: settings.access.anonymous ?? "none", private: this.#private },
      now: clock.now,
      begin: (receivedAt) => {
        this.#receivedAt = receivedAt;
      },
      traceId,
      write,
    });
  }
}

export function openIndex(table: string): VersionIndex {
  return new DynamoVersionIndex(new DynamoDBClient({}), table);
}
