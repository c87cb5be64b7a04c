import { UpstreamFailure, type UpstreamFailureCode } from "../../proxy/sources/upstream.ts";

/** A request to an API. It rejects with an `UpstreamFailure` for what the network does. */
export interface ApiRequest {
  readonly method: "GET" | "POST";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface ApiAnswer {
  readonly status: number;
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The beginning of the body, unchecked. */
  readonly text: string;
}

/** Sends one, and follows no redirect. */
export type SendApiRequest = (request: ApiRequest) => Promise<ApiAnswer>;

export interface InstallationTokensOptions {
  /** `"GitHub App 1234"`. */
  readonly name: string;
  readonly api: string;
  /** Sends a request as the App. */
  readonly send: SendApiRequest;
  /** Milliseconds since 1970 as GitHub counts them. */
  readonly now: () => number;
}

/** A token of an installation, when it came, and when it ends. */
interface InstallationToken {
  readonly token: string;
  readonly came: number;
  readonly ends: number;
}

/** Milliseconds before its end from which a token is renewed, and from which it is not used any more. */
const renewing = 5 * 60_000;
const lastUse = 60_000;
/** The longest that GitHub's word is taken for: milliseconds that a token lasts, and that nothing is asked for. */
const longestLife = 3_600_000;
/** Milliseconds for which a refusal stands, and for which GitHub is left alone when it does not say how long. */
const refusalRest = 10_000;
const limitRest = 60_000;

/** The tokens of an App's installations by owner: each asked for once, however many need it, and again before it ends. */
export class InstallationTokens {
  readonly #options: InstallationTokensOptions;
  readonly #tokens = new Map<string, InstallationToken>();
  readonly #installations = new Map<string, string>();
  readonly #flights = new Map<string, Promise<InstallationToken>>();
  readonly #refusals = new Map<string, { readonly until: number; readonly failure: UpstreamFailure }>();
  #quietUntil = 0;

  constructor(options: InstallationTokensOptions) {
    this.#options = options;
  }

  /** Throws `UpstreamFailure`, or the signal's reason while the token is fetched for others as well. */
  async of(owner: string, signal?: AbortSignal): Promise<InstallationToken> {
    signal?.throwIfAborted();
    const known = this.#tokens.get(owner);
    const left = (known?.ends ?? 0) - this.#options.now();
    if (known !== undefined && left > renewing) return known;
    try {
      return await untilAborted(this.#flight(owner), signal);
    } catch (error) {
      if (known !== undefined && left > lastUse && !signal?.aborted && this.#tokens.get(owner) === known) return known;
      throw error;
    }
  }

  /** Lets a token go that was refused; false when it is so new that another one would be refused as well. */
  forget(owner: string, token: string): boolean {
    const known = this.#tokens.get(owner);
    if (known?.token !== token) return true;
    if (this.#options.now() - known.came < refusalRest) return false;
    this.#tokens.delete(owner);
    return true;
  }

  #flight(owner: string): Promise<InstallationToken> {
    const flight = this.#flights.get(owner) ?? this.#fetch(owner).finally(() => this.#flights.delete(owner));
    this.#flights.set(owner, flight);
    return flight;
  }

  async #fetch(owner: string): Promise<InstallationToken> {
    const refusal = this.#refusals.get(owner);
    if (refusal !== undefined && refusal.until > this.#options.now()) throw refusal.failure;
    try {
      const token = await this.#make(owner);
      this.#tokens.set(owner, token);
      this.#refusals.delete(owner);
      return token;
    } catch (error) {
      if (error instanceof UpstreamFailure && error.code === "no-credentials")
        this.#refusals.set(owner, { until: this.#options.now() + refusalRest, failure: error });
      throw error;
    }
  }

  async #make(owner: string): Promise<InstallationToken> {
    const known = this.#installations.get(owner);
    const id = known ?? (await this.#findInstallation(owner));
    const answer = await this.#ask("POST", `/app/installations/${id}/access_tokens`, tokenRequest);
    if (answer.status === 201) return this.#read(answer);
    this.#installations.delete(owner);
    // Installed anew it has another id.
    if (answer.status === 404 && known !== undefined) return this.#make(owner);
    throw this.#refused(owner, answer);
  }

  async #findInstallation(owner: string): Promise<string> {
    const answer = await this.#ask("GET", `/users/${owner}/installation`);
    if (answer.status !== 200) throw this.#refused(owner, answer);
    const id = parseObject(answer.text)?.id;
    if (typeof id !== "number" || !Number.isSafeInteger(id) || id <= 0) throw this.#unreadable();
    this.#installations.set(owner, String(id));
    return String(id);
  }

  #read(answer: ApiAnswer): InstallationToken {
    const { token, expires_at: end } = parseObject(answer.text) ?? {};
    const ends = typeof end === "string" ? Date.parse(end) : Number.NaN;
    const now = this.#options.now();
    if (typeof token !== "string" || !/^[\x21-\x7e]{1,8192}$/.test(token) || !(ends > now)) throw this.#unreadable();
    return { token, came: now, ends: Math.min(ends, now + longestLife) };
  }

  async #ask(method: "GET" | "POST", path: string, body?: string): Promise<ApiAnswer> {
    const { now, api, send } = this.#options;
    const quiet = this.#quietUntil - now();
    if (quiet > 0) throw this.#limited(quiet);
    const headers = {
      accept: "application/vnd.github+json",
      "x-github-api-version": "2022-11-28",
      ...(body !== undefined && { "content-type": "application/json" }),
    };
    const answer = await send({ method, url: new URL(api + path), headers, ...(body !== undefined && { body }) });
    const rest = restOf(answer, now());
    if (rest === undefined) return answer;
    this.#quietUntil = now() + rest;
    throw this.#limited(rest);
  }

  #limited(rest: number): UpstreamFailure {
    const details = { status: 429, retryAfter: Math.ceil(rest / 1000) };
    return apiFailure("status", this.#options.name, "GitHub's API takes no more requests for now", details);
  }

  #unreadable(): UpstreamFailure {
    return apiFailure("bad-answer", this.#options.name, "GitHub's API sent something that is not a token");
  }

  #refused(owner: string, { status }: ApiAnswer): UpstreamFailure {
    const { name, api } = this.#options;
    if (status === 404) return apiFailure("no-credentials", name, `it is not installed for ${owner}`);
    const line = `${new URL(api).origin} answered ${status}`;
    if (status >= 400 && status < 500) return apiFailure("no-credentials", name, line);
    return apiFailure("status", name, line, { status: status >= 500 ? status : 502 });
  }
}

const tokenRequest = JSON.stringify({ permissions: { contents: "read" } });

/** The failure to get a token, as a clause after the name of the upstream it is for. */
export function apiFailure(
  code: UpstreamFailureCode,
  name: string,
  why: string,
  details?: { readonly status: number; readonly retryAfter?: number },
): UpstreamFailure {
  return new UpstreamFailure(code, `cannot be asked, because ${name} gets no token: ${why}`, details && { details });
}

/**
 * Milliseconds for which an answer asks to be left alone, by GitHub's rules for its limits; `undefined` for any other answer.
 * A 403 without one of their headers is a refusal.
 */
function restOf({ status, headers }: ApiAnswer, now: number): number | undefined {
  if (status !== 429 && status !== 403) return undefined;
  const seconds = (text: string | undefined) => (/^\d{1,12}$/.test(text ?? "") ? Number(text) : undefined);
  const after = seconds(headers["retry-after"]);
  const reset = headers["x-ratelimit-remaining"] === "0" ? seconds(headers["x-ratelimit-reset"]) : undefined;
  if (after === undefined && reset === undefined) return status === 429 ? limitRest : undefined;
  const asked = after !== undefined ? after * 1000 : (reset ?? 0) * 1000 - now;
  return Math.min(Math.max(asked, 1000), longestLife);
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    promise.catch(() => {});
  }
}
