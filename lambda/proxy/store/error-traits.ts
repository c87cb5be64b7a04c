/** What is known of one way in which a request can end without its answer; every place that asks reads it here. */
export interface ErrorTraits {
  /**
   * The HTTP status, docs/protocol.md "Answers". `go` moves on to the next proxy after 404 and 410 only, so an outage or a
   * refusal must have any other: else a private name would be looked for at the next, public proxy.
   */
  readonly status: number;
  /** How long caches may keep it: 404 for 5 s, nothing else at all. */
  readonly cacheControl: "no-store" | "max-age=5";
  /**
   * What of what is stored is the better answer: any copy ("copy": the failure says nothing about the module), the versions
   * that are stored as its list ("list": the upstream has forgotten or refuses it), or nothing.
   */
  readonly instead: "copy" | "list" | "nothing";
  /** Somebody lies, or something is broken that must not be: the operator is told, on one machine and on AWS. */
  readonly alarming: boolean;
  /** Asking again within the hour would not change it: work that nobody waits for is not tried again. */
  readonly final: boolean;
  /** Thrown while a body was read and checked, it is the doing of the upstream that sent it, and a chain may go on. */
  readonly content: boolean;
  /**
   * Which of several failures a chain ends with, the highest: what was wrong with the content is an alarm; an outage is
   * never hidden behind a 404 or a 403 (with a stored copy it means the copy); then as Go, the last one that is not a 404.
   */
  readonly rank: 0 | 1 | 2 | 3;
}

/** What a row leaves out. */
const usual = {
  cacheControl: "no-store",
  instead: "nothing",
  alarming: false,
  final: false,
  content: false,
  rank: 3,
} as const;
const final = { ...usual, final: true } as const;
const outage = { ...usual, instead: "copy", rank: 2 } as const;
const alarm = { ...usual, alarming: true } as const;

/** Every code with all of its traits: one that is undecided does not compile. */
export const errorTraits = {
  "bad-request": { ...final, status: 400 },
  unauthorized: { ...final, status: 401 },
  forbidden: { ...final, status: 403, instead: "list" },
  "not-found": { ...final, status: 404, cacheControl: "max-age=5", instead: "list", content: true, rank: 0 },
  "method-not-allowed": { ...final, status: 405 },
  "upstream-refused": { ...final, status: 403, instead: "list", rank: 1 },
  "upstream-unauthorized": { ...outage, status: 502 },
  "upstream-failed": { ...outage, status: 502, content: true },
  "upstream-timeout": { ...outage, status: 504 },
  "policy-refused": { ...final, status: 403 },
  "checksum-unknown": { ...final, status: 403 },
  "checksum-mismatch": { ...alarm, status: 403, content: true },
  "checksum-unavailable": { ...outage, status: 502, rank: 3 },
  "checksum-forged": { ...alarm, status: 502 },
  "checksum-fork": { ...alarm, status: 502 },
  "claim-mismatch": { ...alarm, status: 403, final: true },
  "record-mismatch": { ...alarm, status: 403, final: true },
  "log-damaged": { ...alarm, status: 503 },
  "log-shorter": { ...alarm, status: 503 },
  "log-unsigned": { ...usual, status: 503 },
  "log-busy": { ...usual, status: 503 },
  "invalid-module": { ...alarm, status: 502, content: true },
  "publish-refused": { ...final, status: 422 },
  "store-failed": { ...usual, status: 503 },
  "not-stored": { ...final, status: 504 },
  "too-many": { ...outage, status: 429, rank: 3 },
  "fill-timeout": { ...outage, status: 504, rank: 3 },
  internal: { ...alarm, status: 500 },
} as const satisfies Readonly<Record<string, ErrorTraits>>;
