import type { Config } from "../../config/config.ts";
import type { Route } from "../../http/route.ts";
import type { FollowJob } from "../../proxy/upkeep/background-job.ts";
import { type Deliveries, webhookRoutes } from "../../webhooks/webhook-routes.ts";
import type { WebhookSecrets } from "../../webhooks/webhook-secrets.ts";
import type { Metrics } from "./metrics.ts";

export interface LocalWebhooksParts {
  readonly secrets: WebhookSecrets;
  readonly deliveries: Deliveries;
  readonly follow: (job: FollowJob) => void;
  readonly metrics: Metrics;
  readonly now: () => number;
}

/** What hosts tell of repositories, on one machine: whoever sends it waits for nothing. */
export function localWebhooks({ webhooks }: Pick<Config, "webhooks">, parts: LocalWebhooksParts): readonly Route[] {
  const { secrets, deliveries, follow, metrics, now } = parts;
  return webhookRoutes({
    ...{ webhooks, secrets, deliveries, now },
    follow: async (paths, branches) => follow({ kind: "follow", paths, branches }),
    told: (outcome) => metrics.count("modfront_webhooks_total", { outcome }),
  });
}
