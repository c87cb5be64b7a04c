import type { Webhooks } from "./config.ts";
import {
  type Delivery,
  type Proof,
  provedByHex,
  provedBySigningSecret,
  provedByToken,
  signingSecretPrefix,
} from "./proofs.ts";

export type HostKind = Webhooks[string]["kind"];

/** What a delivery says: that something of a repository has changed, and which of its branches may mean something else now. */
export interface Hint {
  /** As the host names it. */
  readonly repository: string;
  readonly branches: readonly string[];
}

/** What there is to know of a kind of host. */
export interface Host {
  /** `now` in Unix seconds. */
  readonly prove: (delivery: Delivery, secret: string, now: number) => Proof;
  /** The headers that number a delivery; the first that is there counts. */
  readonly ids: readonly string[];
  /** The header that says what happened, and what of it changes refs; all else is taken note of. */
  readonly event: string;
  readonly changes: readonly string[];
  /** What a payload says. Throws, or has something that is no text, for what is none. */
  readonly read: (payload: Payload) => Hint;
}

/** The parts of payloads that are read, each as little trusted as any text. */
export interface Payload {
  readonly ref?: unknown;
  readonly ref_type?: unknown;
  readonly repository?: { readonly full_name?: unknown };
  readonly project?: { readonly path_with_namespace?: unknown };
  readonly push?: { readonly changes?: readonly Change[] };
}

interface Change {
  readonly old?: Named | null;
  readonly new?: Named | null;
}

interface Named {
  readonly type?: unknown;
  readonly name?: unknown;
}

/** Gitea and Forgejo send the headers of those they come from, too. */
function giteaLike(name: "gitea" | "forgejo"): Host {
  return {
    prove: (delivery, secret) => provedByHex(delivery, secret, `x-${name}-signature`),
    ids: [`x-${name}-delivery`],
    event: `x-${name}-event`,
    changes: ["push", "create", "delete"],
    read: readPush,
  };
}

/** The hosts that send webhooks. */
export const hosts: Readonly<Record<HostKind, Host>> = {
  github: {
    prove: (delivery, secret) => provedByHex(delivery, secret, "x-hub-signature-256", "sha256="),
    ids: ["x-github-delivery"],
    event: "x-github-event",
    changes: ["push", "create", "delete"],
    read: readPush,
  },
  gitlab: {
    // Who has a secret for signatures must not be fooled by a delivery without any.
    prove: (delivery, secret, now) =>
      secret.startsWith(signingSecretPrefix)
        ? provedBySigningSecret(delivery, secret, now)
        : provedByToken(delivery, secret, "x-gitlab-token"),
    ids: ["webhook-id", "idempotency-key", "x-gitlab-event-uuid"],
    event: "x-gitlab-event",
    changes: ["Push Hook", "Tag Push Hook"],
    read: ({ ref, project }) => ({ repository: textOf(project?.path_with_namespace), branches: branchesOf([ref]) }),
  },
  gitea: giteaLike("gitea"),
  forgejo: giteaLike("forgejo"),
  bitbucket: {
    prove: (delivery, secret) => provedByHex(delivery, secret, "x-hub-signature", "sha256="),
    ids: ["x-request-uuid"],
    event: "x-event-key",
    changes: ["repo:push"],
    read: ({ repository, push }) => {
      const named = (push?.changes ?? []).map((change) => change.new ?? change.old);
      const branches = named.flatMap((each) =>
        each?.type === "branch" ? [`${branchPrefix}${textOf(each.name)}`] : [],
      );
      return { repository: textOf(repository?.full_name), branches: branchesOf(branches) };
    },
  },
};

const branchPrefix = "refs/heads/";

/** Branches of a delivery that are looked at, and letters of a name. */
const most = { branches: 20, name: 255 } as const;

/** `create` and `delete` have the bare name, and say of what. */
function readPush({ ref, ref_type: type, repository }: Payload): Hint {
  const full = type === "branch" ? `${branchPrefix}${textOf(ref)}` : ref;
  return { repository: textOf(repository?.full_name), branches: branchesOf([full]) };
}

function branchesOf(refs: readonly unknown[]): readonly string[] {
  return refs
    .slice(0, most.branches)
    .filter((ref) => typeof ref === "string")
    .filter((ref) => ref.startsWith(branchPrefix))
    .map((ref) => ref.slice(branchPrefix.length))
    .filter((name) => name !== "" && name.length <= most.name);
}

function textOf(value: unknown): string {
  if (typeof value !== "string") throw new Error("no text");
  return value;
}
