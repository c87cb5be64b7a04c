import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** A delivery as it arrived: nothing of it was read before its proof was. */
export interface Delivery {
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The raw body, which is what is signed. */
  readonly body: Uint8Array;
}

/** That it comes from who knows the secret: proved, not even tried, or wrong. */
export type Proof = "proved" | "missing" | "wrong";

/** Seconds by which the clock of a host may differ from ours, where it signs the time. */
const tolerance = 300;

/** Signatures that are looked at: while a secret is replaced there are two. */
const mostSignatures = 5;

/** A signature of the body in hexadecimal, in this header and behind this prefix. A header that is empty proves nothing. */
export function provedByHex(delivery: Delivery, secret: string, header: string, prefix = ""): Proof {
  const shown = delivery.headers[header] ?? "";
  if (shown === "") return "missing";
  const digits = shown.startsWith(prefix) ? shown.slice(prefix.length) : "";
  if (!/^[\da-f]{64}$/i.test(digits)) return "wrong";
  const expected = createHmac("sha256", secret).update(delivery.body).digest();
  return timingSafeEqual(Buffer.from(digits, "hex"), expected) ? "proved" : "wrong";
}

/** The secret itself, in this header. */
export function provedByToken({ headers }: Delivery, secret: string, header: string): Proof {
  const shown = headers[header] ?? "";
  if (shown === "") return "missing";
  return timingSafeEqual(sha256(shown), sha256(secret)) ? "proved" : "wrong";
}

/** What begins secrets of Standard Webhooks, before their base64. */
export const signingSecretPrefix = "whsec_";

/** Signatures of id, time and body, as Standard Webhooks has them (`"v1,<base64> v1,<base64>"`); `now` in Unix seconds. */
export function provedBySigningSecret({ headers, body }: Delivery, secret: string, now: number): Proof {
  const { "webhook-id": id = "", "webhook-timestamp": time = "", "webhook-signature": shown = "" } = headers;
  if (id === "" || time === "" || shown === "") return "missing";
  if (!/^\d{1,12}$/.test(time) || Math.abs(now - Number(time)) > tolerance) return "wrong";
  const key = Buffer.from(secret.slice(signingSecretPrefix.length), "base64");
  const expected = createHmac("sha256", key).update(`${id}.${time}.`).update(body).digest("base64");
  const signatures = shown.split(" ", mostSignatures).filter((each) => each.startsWith("v1,"));
  const isProved = signatures.some((each) => timingSafeEqual(sha256(each.slice(3)), sha256(expected)));
  return isProved ? "proved" : "wrong";
}

/** Of the same length whatever the text: comparing takes the same time. */
function sha256(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
