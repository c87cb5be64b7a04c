import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { type Tenants, tenantPatterns } from "../access/tenants.ts";
import type { AccessSettings } from "../edge/access-settings.ts";
import type { RoutedPath } from "../edge/routed-path.ts";
import { type AdmittedRequest, createHandler, type HttpHandler } from "../http/handler.ts";
import type { Route } from "../http/route.ts";
import { type Refused, siteHandler } from "../http/site.ts";
import type { Handlers } from "../http/stack.ts";
import type { Served } from "../proxy/serve/serve.ts";
import { PrivateModules } from "../proxy/sources/private-modules.ts";
import type { Clock } from "../proxy/store/clock.ts";
import type { FillPlane } from "../proxy/store/fill-plane.ts";
import type { VersionIndex } from "../proxy/store/version-index.ts";
import { type ApiHandler, createApiHandler } from "./api-handler.ts";
import { DynamoVersionIndex } from "./dynamo-version-index.ts";
import { IdentityKeys, readSecret } from "./identity-keys.ts";
import { LambdaFillPlane } from "./lambda-fill-plane.ts";

export interface ServeFunctionParts {
  readonly name: string;
  readonly edgeSecret: string;
  readonly settings: {
    readonly private: readonly string[];
    readonly tenants: Tenants;
    readonly access: { readonly anonymous?: AccessSettings["anonymous"] | undefined };
    readonly channels: readonly string[];
  };
  readonly clock: Clock;
  readonly traceId: () => string | undefined;
  readonly version: string;
  readonly write: (line: string) => void;
}

/** A function of the serve plane: what those behind the API have in common. */
export class ServeFunction {
  readonly #parts: ServeFunctionParts;
  readonly #private: string;
  readonly #privateModules: PrivateModules;
  /** The keys with which the edge signs who asks. */
  readonly identityKeys: IdentityKeys;
  #receivedAt = 0;

  constructor(parts: ServeFunctionParts) {
    this.#parts = parts;
    const secrets = new SecretsManagerClient({});
    this.identityKeys = new IdentityKeys(() => readSecret(secrets, parts.edgeSecret), parts.clock.now);
    this.#private = parts.settings.private.join(",");
    this.#privateModules = new PrivateModules(parts.settings.private);
  }

  readonly isPrivate = (module: string): boolean => this.#privateModules.has(module);

  /** The handler of a use-case of the serve plane. */
  handlerOf(serve: (routed: RoutedPath, request: AdmittedRequest) => Promise<Served>): HttpHandler {
    return createHandler(serve, this.isPrivate);
  }

  /** The fill plane, with one attempt for each call: a second one would be a second fill. */
  openFillPlane(functionName: string): FillPlane {
    const client = new LambdaClient({ maxAttempts: 1 });
    return new LambdaFillPlane({ client, functionName, clock: this.#parts.clock, since: () => this.#receivedAt });
  }

  /** What Lambda calls for what lies under `/-/`, and for `/`. */
  answerSite(rows: readonly Route[], refused?: Refused): ApiHandler {
    return this.answerWith({ site: siteHandler(rows, this.access, refused) });
  }

  /** Nobody is let in without a token unless the configuration says so. */
  get access(): AccessSettings {
    const { access, tenants } = this.#parts.settings;
    return { anonymous: access.anonymous ?? "none", private: this.#private, tenants: tenantPatterns(tenants) };
  }

  /** What Lambda calls. */
  answerWith(handlers: Handlers): ApiHandler {
    const { name, settings, clock, traceId, version, write } = this.#parts;
    return createApiHandler({
      name,
      handlers,
      identityKeys: this.identityKeys,
      access: this.access,
      now: clock.now,
      begin: (receivedAt) => {
        this.#receivedAt = receivedAt;
      },
      traceId,
      channels: name === "site" ? [] : settings.channels,
      version,
      write,
    });
  }
}

export function openIndex(table: string): VersionIndex {
  return new DynamoVersionIndex(new DynamoDBClient({}), table);
}
