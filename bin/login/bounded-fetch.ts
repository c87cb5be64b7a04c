import { isLoopback } from "../../lambda/local/access/local-access.ts";

/** Milliseconds for one answer of a provider. */
const patience = 15_000;

/** Bytes: the longest discovery document that is known has 20 KB. */
const largestAnswer = 1 << 20;

/** As oauth4webapi asks. */
interface Asked {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: URLSearchParams | undefined;
}

/**
 * Fetches as a provider is asked: within 15 seconds, an answer of 1 MiB at most, none of another address than was
 * asked, and in the clear on this machine only: codes and refresh tokens are in the question.
 */
export async function boundedFetch(
  url: string,
  { method, headers: sent, body }: Asked,
  signal = AbortSignal.timeout(patience),
): Promise<Response> {
  if (!isPrivateWay(new URL(url))) throw new Error("only HTTPS, but on this machine");
  const response = await fetch(url, { method, headers: sent, body: body ?? null, redirect: "manual", signal });
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > largestAnswer) throw new Error("an answer of more than 1 MiB");
    chunks.push(chunk);
  }
  const { status, headers } = response;
  const hasBody = ![101, 204, 205, 304].includes(status);
  return new Response(hasBody ? Buffer.concat(chunks) : null, { status, headers });
}

/** True where nobody between can read what is sent: TLS, or a way that does not leave this machine. */
export function isPrivateWay({ protocol, hostname }: URL): boolean {
  if (protocol === "https:") return true;
  return protocol === "http:" && isLoopback(hostname.replace(/^\[(.*)\]$/, "$1"));
}
