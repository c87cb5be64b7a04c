import { createHmac, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

// Deliveries as hosts make them: their headers and the shapes of their payloads are those of their documentation.

const testdata = join(import.meta.dirname, "../webhooks/testdata");

export interface SignedDelivery {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How a host signs and sends a payload. */
export interface Sender {
  readonly kind: "github" | "gitlab" | "gitea" | "forgejo" | "bitbucket";
  readonly secret: string;
  readonly fixture: string;
  /** As the host names it. */
  readonly repository: string;
  /** The header that proves, and the one that numbers a delivery. */
  readonly proof: string;
  readonly id: string;
  readonly headers: (body: string, secret: string) => Readonly<Record<string, string>>;
}

function hex(body: string, secret: string): string {
  return createHmac("sha256", secret).update(body).digest("hex");
}

const signingSecret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

/** Signs as Standard Webhooks say, at `seconds`. */
export function standardHeaders(body: string, secret: string, id: string, seconds: number): Record<string, string> {
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": String(seconds), "webhook-signature": `v1,${signature}` };
}

export const senders: Readonly<Record<string, Sender>> = {
  github: {
    kind: "github",
    secret: "a secret of github",
    fixture: "github-push.json",
    repository: "Corp/lib",
    proof: "x-hub-signature-256",
    id: "x-github-delivery",
    headers: (body, secret) => ({
      "user-agent": "GitHub-Hookshot/044aadd",
      "x-github-event": "push",
      "x-hub-signature": `sha1=${createHmac("sha1", secret).update(body).digest("hex")}`,
      "x-hub-signature-256": `sha256=${hex(body, secret)}`,
    }),
  },
  "gitlab with a token": {
    kind: "gitlab",
    secret: "a token of gitlab",
    fixture: "gitlab-tag-push.json",
    repository: "corp/lib",
    proof: "x-gitlab-token",
    id: "idempotency-key",
    headers: (_, secret) => ({
      "user-agent": "GitLab/18.0.0",
      "x-gitlab-event": "Tag Push Hook",
      "x-gitlab-token": secret,
    }),
  },
  "gitlab with signatures": {
    kind: "gitlab",
    secret: signingSecret,
    fixture: "gitlab-tag-push.json",
    repository: "corp/lib",
    proof: "webhook-signature",
    id: "webhook-id",
    headers: (body, secret) => ({
      "x-gitlab-event": "Tag Push Hook",
      ...standardHeaders(body, secret, randomUUID(), Math.floor(Date.now() / 1000)),
    }),
  },
  gitea: {
    kind: "gitea",
    secret: "a secret of gitea",
    fixture: "gitea-create.json",
    repository: "corp/lib",
    proof: "x-gitea-signature",
    id: "x-gitea-delivery",
    headers: (body, secret) => ({
      "x-gitea-event": "create",
      "x-github-event": "create",
      "x-gitea-signature": hex(body, secret),
      "x-hub-signature-256": `sha256=${hex(body, secret)}`,
    }),
  },
  forgejo: {
    kind: "forgejo",
    secret: "a secret of forgejo",
    fixture: "forgejo-push.json",
    repository: "corp/lib",
    proof: "x-forgejo-signature",
    id: "x-forgejo-delivery",
    headers: (body, secret) => ({
      "x-forgejo-event": "push",
      "x-gitea-event": "push",
      "x-forgejo-signature": hex(body, secret),
      "x-gitea-signature": hex(body, secret),
    }),
  },
  bitbucket: {
    kind: "bitbucket",
    secret: "a secret of bitbucket",
    fixture: "bitbucket-push.json",
    repository: "corp/lib",
    proof: "x-hub-signature",
    id: "x-request-uuid",
    headers: (body, secret) => ({
      "user-agent": "Bitbucket-Webhooks/2.0",
      "x-event-key": "repo:push",
      "x-hook-uuid": "{8b0f0ad1-d3b1-4c1c-8b0f-0ad1c6b6a1a2}",
      "x-hub-signature": `sha256=${hex(body, secret)}`,
    }),
  },
};

/** A new delivery of the sender's fixture, or of another payload. */
export function delivery(sender: Sender, body = readFileSync(join(testdata, sender.fixture), "utf8")): SignedDelivery {
  const numbered = { [sender.id]: randomUUID(), ...sender.headers(body, sender.secret) };
  return { headers: { "content-type": "application/json", ...numbered }, body };
}

/** Sends it, and returns status and line. */
export async function deliver(
  url: string,
  name: string,
  { headers, body }: SignedDelivery,
): Promise<readonly [status: number, line: string]> {
  const answer = await fetch(`${url}/-/webhook/${name}`, { method: "POST", headers, body });
  return [answer.status, (await answer.text()).trimEnd()];
}
