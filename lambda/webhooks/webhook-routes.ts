import { createHash } from "node:crypto";
import { everyone } from "../edge/permit.ts";
import { webhookPrefix } from "../edge/routes.ts";
import type { AdmittedRequest } from "../http/handler.ts";
import { lineAnswer } from "../http/problem.ts";
import type { HttpAnswer } from "../http/result.ts";
import type { Route } from "../http/route.ts";
import type { Webhooks } from "./config.ts";
import { type Hint, hosts, type Payload } from "./hosts.ts";
import type { Delivery, Proof } from "./proofs.ts";
import type { WebhookSecrets } from "./webhook-secrets.ts";

/** Which deliveries were taken. */
export interface Deliveries {
  /** True the first time, false ever after; it may be forgotten from `until` on, in Unix seconds. */
  use(id: string, until: number): Promise<boolean>;
}

export interface WebhookRoutesParts {
  /** `webhooks` of the configuration. */
  readonly webhooks: Webhooks;
  readonly secrets: Pick<WebhookSecrets, "of" | "renew">;
  readonly deliveries: Deliveries;
  /** Has the modules of a repository brought up to date: when it returns that is noted, not done. */
  readonly follow: (paths: readonly string[], branches: readonly string[]) => Promise<void>;
  /** Told how each delivery ended. */
  readonly told: (outcome: Outcome) => void;
  /** Milliseconds. */
  readonly now: () => number;
}

/** What becomes of a delivery: a row of the table below. */
export type Outcome = keyof typeof answers;

/** Bytes of a body. */
const largestBody = 1 << 20;

/** Seconds for which a delivery is remembered. */
const remembered = 86_400;

/**
 * A repository that nobody configured is no failure: a hook of an organisation tells of all it has, and hosts switch off hooks
 * that fail. Its line is in the host's list of deliveries.
 */
const answers = {
  followed: [202, "the repository is looked at"],
  "nothing-changed": [202, "this event changes no version"],
  known: [202, "this delivery was taken before"],
  "not-configured": [202, "this repository is not among those of the webhook: nothing is done"],
  malformed: [400, "the body is not the JSON of a webhook"],
  unproved: [401, "the delivery is not signed: set the secret of the webhook at its host"],
  "wrong-proof": [403, "the delivery is not signed with the secret of this webhook"],
  unknown: [404, "there is no webhook of this name"],
  "too-large": [413, `the body has more than ${largestBody} bytes`],
} as const satisfies Readonly<Record<string, readonly [status: number, line: string]>>;

/** `/-/webhook/<name>`: what hosts tell of repositories. Who sends it shows no token: the body is signed. */
export function webhookRoutes(parts: WebhookRoutesParts): readonly Route[] {
  const hooks = new Map(Object.keys(parts.webhooks).map((name) => [name, new Webhook(parts, name)]));
  return [
    {
      name: "webhook",
      address: `${webhookPrefix}<name>`,
      methods: ["POST"],
      access: everyone,
      output: { contentType: "text/plain; charset=utf-8", about: "That the repository will be looked at." },
      handler: async (request) => {
        const hook = hooks.get(request.parameters?.name ?? "");
        const outcome = hook === undefined ? "unknown" : await hook.receive(request);
        parts.told(outcome);
        return answerOf(outcome);
      },
    },
  ];
}

function answerOf(outcome: Outcome): HttpAnswer {
  const [status, line] = answers[outcome];
  return lineAnswer(status, line);
}

/** One webhook of the configuration. */
class Webhook {
  readonly #parts: WebhookRoutesParts;
  readonly #name: string;
  readonly #hook: Webhooks[string];
  /** By their names in small letters, which hosts do not tell apart. */
  readonly #repositories: ReadonlyMap<string, readonly string[]>;

  constructor(parts: WebhookRoutesParts, name: string) {
    this.#parts = parts;
    this.#name = name;
    this.#hook = parts.webhooks[name] as Webhooks[string];
    const entries = Object.entries(this.#hook.repositories);
    this.#repositories = new Map(entries.map(([repository, paths]) => [repository.toLowerCase(), paths]));
  }

  async receive({ headers, body: read }: AdmittedRequest): Promise<Outcome> {
    // Before anything of it is read.
    if (Number(headers["content-length"] ?? 0) > largestBody) return "too-large";
    const body = await read?.(largestBody);
    if (body === undefined) return "too-large";
    const host = hosts[this.#hook.kind];
    const proof = await this.#prove({ headers, body });
    if (proof !== "proved") return proof === "missing" ? "unproved" : "wrong-proof";
    if (!host.changes.includes(headers[host.event] ?? "")) return "nothing-changed";
    const hint = hintOf(headers["content-type"] ?? "", body, host.read);
    return hint === undefined ? "malformed" : await this.#take(headers, body, hint);
  }

  /** A secret that was replaced counts from the first delivery that is signed with the new one. */
  async #prove(delivery: Delivery): Promise<Proof> {
    const { secrets, now } = this.#parts;
    const { prove } = hosts[this.#hook.kind];
    const proof = prove(delivery, await secrets.of(this.#name), now() / 1000);
    if (proof !== "wrong" || !(await secrets.renew(this.#name))) return proof;
    return prove(delivery, await secrets.of(this.#name), now() / 1000);
  }

  async #take(headers: AdmittedRequest["headers"], body: Uint8Array, hint: Hint): Promise<Outcome> {
    const paths = this.#repositories.get(hint.repository.toLowerCase());
    if (paths === undefined) return "not-configured";
    const { deliveries, follow, now } = this.#parts;
    const until = Math.ceil(now() / 1000) + remembered;
    if (!(await deliveries.use(this.#idOf(headers, body), until))) return "known";
    await follow(paths, hint.branches);
    return "followed";
  }

  /** Of a host that numbers nothing it is the delivery itself. */
  #idOf(headers: AdmittedRequest["headers"], body: Uint8Array): string {
    const { ids } = hosts[this.#hook.kind];
    const id = ids.map((name) => headers[name] ?? "").find((each) => each !== "");
    const hash = createHash("sha256")
      .update(id ?? body)
      .digest("hex");
    return `webhook ${this.#name} ${hash}`;
  }
}

/** What a body says, which is JSON, or a form with JSON in its field `payload`. */
function hintOf(type: string, body: Uint8Array, read: (payload: Payload) => Hint): Hint | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body);
    const isForm = /^application\/x-www-form-urlencoded\b/i.test(type);
    return read(JSON.parse(isForm ? (new URLSearchParams(text).get("payload") ?? "") : text) as Payload);
  } catch {
    return undefined;
  }
}
