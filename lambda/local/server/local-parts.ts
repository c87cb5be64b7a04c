import type { ReadDocument } from "../../access/oidc/issuer-keys.ts";
import type { SumdbRemote } from "../../proxy/checksums/sumdb-reach.ts";
import type { UpstreamRouter } from "../../proxy/sources/upstream.ts";
import type { Clock } from "../../proxy/store/clock.ts";
import type { RequestWay } from "../../runtime/request-way.ts";
import type { WebhookSecrets } from "../../webhooks/webhook-secrets.ts";
import type { Failpoint } from "../data/failpoints.ts";

/** What one machine needs of the program that starts it: its clock, its upstreams, its streams. */
export interface LocalParts {
  readonly clock: Clock;
  readonly router: UpstreamRouter;
  /** The one that the upstreams' requests carry. */
  readonly way: RequestWay;
  readonly sumdbRemote: (name: string) => SumdbRemote;
  /** Reads documents of the providers whose ID tokens are exchanged. */
  readonly readDocument: ReadDocument;
  /** The secrets of webhooks, all of which can be read. */
  readonly webhookSecrets: WebhookSecrets;
  /** The entry of the thread that inspects zips. */
  readonly zipWorker: URL;
  /** Where request lines go. */
  readonly write: (line: string) => void;
  /** What the operator should know, one line each. */
  readonly warn: (line: string) => void;
  /** Called at each write boundary of the adapters: for tests that end the process there. */
  readonly failpoint?: Failpoint;
}
