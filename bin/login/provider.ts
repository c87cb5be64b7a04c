import * as oauth from "oauth4webapi";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import { printable } from "../../lambda/golang/shown-text.ts";
import { boundedFetch, isPrivateWay } from "./bounded-fetch.ts";

/** A provider as a server names it, and the secret that some give their public clients (Google). */
export interface ProviderClient {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
}

/** What a provider gave: an ID token, and with what the next one is obtained, if anything. */
export interface Grant {
  readonly idToken: string;
  readonly refreshToken: string | undefined;
}

/** An authorization that a browser is to be sent to. */
export interface Authorization {
  readonly url: URL;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly redirectUri: string;
}

/** What is asked for beside an ID token. */
export interface Wishes {
  /** Scopes beside `openid`. */
  readonly scopes: readonly string[];
  readonly prompt: string | undefined;
}

/** A code that a person types on another device. */
export interface DeviceCode {
  readonly deviceCode: string;
  readonly userCode: string;
  readonly address: string;
  /** Seconds. */
  readonly interval: number;
  readonly expiresIn: number;
}

type Server = oauth.AuthorizationServer;

/** One OpenID provider, by what it says of itself. All methods throw `CodedError` "provider" with what went wrong. */
export class Provider {
  readonly #server: Server;
  readonly #client: oauth.Client;
  readonly #auth: oauth.ClientAuth;
  readonly #options: {
    readonly [oauth.customFetch]: typeof boundedFetch;
    readonly [oauth.allowInsecureRequests]: boolean;
  };
  readonly #secrets: readonly string[];

  readonly #now: () => number;

  private constructor(server: Server, { clientId, clientSecret }: ProviderClient, now: () => number) {
    this.#server = server;
    this.#now = now;
    this.#client = { client_id: clientId, [oauth.clockTolerance]: 60 };
    this.#auth = clientSecret === undefined ? oauth.None() : oauth.ClientSecretPost(clientSecret);
    this.#options = optionsFor(server.issuer);
    this.#secrets = clientSecret === undefined ? [] : [clientSecret];
  }

  /** Reads what the issuer says of itself; `now` is this machine's clock in milliseconds, which may be wrong. */
  static async discover(client: ProviderClient, now: () => number): Promise<Provider> {
    return await told(client.issuer, [], async () => {
      const issuer = new URL(client.issuer);
      const answer = await oauth.discoveryRequest(issuer, optionsFor(client.issuer));
      return new Provider(await oauth.processDiscoveryResponse(issuer, answer), client, now);
    });
  }

  /** The address for the browser, by code and PKCE, with all that its answer is held against. */
  async authorize(redirectUri: string, wishes: Wishes): Promise<Authorization> {
    return await this.#told([], async () => {
      const { authorization_endpoint: endpoint } = this.#server;
      if (endpoint === undefined) throw new Error("it has no authorization endpoint");
      const url = new URL(endpoint);
      if (!isPrivateWay(url)) throw new Error("its authorization endpoint is not https");
      const verifier = oauth.generateRandomCodeVerifier();
      const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
      const parameters = {
        ...this.#offline(wishes),
        client_id: this.#client.client_id,
        redirect_uri: redirectUri,
        response_type: "code",
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
        state,
        nonce,
      };
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      return { url, state, nonce, verifier, redirectUri };
    });
  }

  /** Judges what the browser brought back: `state`, `iss`, an error. */
  checkAnswer(url: URL, { state }: Authorization): URLSearchParams {
    try {
      return oauth.validateAuthResponse(this.#server, this.#client, url, state);
    } catch (cause) {
      throw failureOf(this.#server.issuer, [...url.searchParams.getAll("code"), state], cause);
    }
  }

  /** The grant for the code in an answer that was checked. */
  async redeem(answer: URLSearchParams, { redirectUri, verifier, nonce }: Authorization): Promise<Grant> {
    return await this.#told([verifier, answer.get("code") ?? ""], async () => {
      const response = await oauth.authorizationCodeGrantRequest(
        ...this.#arguments,
        answer,
        redirectUri,
        verifier,
        this.#options,
      );
      const options = { expectedNonce: nonce, requireIdToken: true };
      return grantOf(
        await oauth.processAuthorizationCodeResponse(this.#server, this.#when(response), response, options),
      );
    });
  }

  /** The next grant for a refresh token. Throws `CodedError` "provider-refused" where the token is not good for one any more. */
  async refresh(refreshToken: string): Promise<Grant> {
    return await this.#told([refreshToken], async () => {
      const response = await oauth.refreshTokenGrantRequest(...this.#arguments, refreshToken, this.#options);
      const grant = grantOf(await oauth.processRefreshTokenResponse(this.#server, this.#when(response), response));
      return { ...grant, refreshToken: grant.refreshToken ?? refreshToken };
    });
  }

  /** Asks for a code that is typed on another device. */
  async askDeviceCode(wishes: Wishes): Promise<DeviceCode> {
    return await this.#told([], async () => {
      const { prompt: _, access_type: __, ...parameters } = this.#offline(wishes);
      const response = await oauth.deviceAuthorizationRequest(...this.#arguments, parameters, this.#options);
      const device = await oauth.processDeviceAuthorizationResponse(this.#server, this.#client, response);
      const address = new URL(device.verification_uri_complete ?? device.verification_uri);
      if (!isPrivateWay(address)) throw new Error("its page for the codes of devices is not https");
      return {
        deviceCode: device.device_code,
        userCode: device.user_code,
        address: address.href,
        interval: Math.min(60, Math.max(1, device.interval ?? 5)),
        expiresIn: device.expires_in,
      };
    });
  }

  /** The grant for a device code, or how the person is not done yet. */
  async redeemDeviceCode({ deviceCode }: DeviceCode): Promise<Grant | "authorization_pending" | "slow_down"> {
    return await this.#told([deviceCode], async () => {
      try {
        const response = await oauth.deviceCodeGrantRequest(...this.#arguments, deviceCode, this.#options);
        return grantOf(await oauth.processDeviceCodeResponse(this.#server, this.#when(response), response));
      } catch (error) {
        const waits = error instanceof oauth.ResponseBodyError ? error.error : "";
        if (waits === "authorization_pending" || waits === "slow_down") return waits;
        throw error;
      }
    });
  }

  get #arguments(): [Server, oauth.Client, oauth.ClientAuth] {
    return [this.#server, this.#client, this.#auth];
  }

  /**
   * The client, with how far this machine's clock is from the provider's. A grant says when it was made; what it says of itself
   * may come from a cache, with the time at which that got it.
   */
  #when({ headers }: Response): oauth.Client {
    const date = Date.parse(headers.get("date") ?? "");
    return { ...this.#client, [oauth.clockSkew]: Number.isNaN(date) ? 0 : Math.round((date - this.#now()) / 1000) };
  }

  /** What makes a provider give a refresh token: a scope where it has it, Google's own parameter where not. */
  #offline({ scopes, prompt }: Wishes): Record<string, string> {
    const { scopes_supported: known = [] } = this.#server;
    const usual = ["profile", "email", "offline_access"].filter((scope) => known.includes(scope));
    const scope = [...new Set(["openid", ...usual, ...scopes])].join(" ");
    const asked = prompt === undefined ? {} : { prompt };
    if (known.includes("offline_access")) return { scope, ...asked };
    return { scope, access_type: "offline", prompt: "consent", ...asked };
  }

  #told<Result>(secrets: readonly string[], task: () => Promise<Result>): Promise<Result> {
    return told(this.#server.issuer, [...this.#secrets, ...secrets], task);
  }
}

/** Only what runs on this machine may be asked without TLS, which `boundedFetch` sees to for each address. */
function optionsFor(issuer: string) {
  const isHere = URL.canParse(issuer) && isPrivateWay(new URL(issuer));
  return { [oauth.customFetch]: boundedFetch, [oauth.allowInsecureRequests]: isHere };
}

function grantOf({ id_token: idToken, refresh_token: refreshToken }: oauth.TokenEndpointResponse): Grant {
  if (idToken === undefined) throw new Error("it gave no ID token");
  return { idToken, refreshToken };
}

async function told<Result>(issuer: string, secrets: readonly string[], task: () => Promise<Result>): Promise<Result> {
  try {
    return await task();
  } catch (cause) {
    throw failureOf(issuer, secrets, cause);
  }
}

/** Says which provider failed, and what it said, without what is secret. */
function failureOf(issuer: string, secrets: readonly string[], cause: unknown): CodedError {
  const name = URL.canParse(issuer) ? new URL(issuer).host : "the provider";
  const isFinal = cause instanceof oauth.ResponseBodyError && finalErrors.has(cause.error);
  return new CodedError(isFinal ? "provider-refused" : "provider", `${name}: ${faultOf(cause, secrets)}`, { cause });
}

/** What a provider says of what is never going to work again (RFC 6749 5.2). */
const finalErrors = new Set(["invalid_grant", "invalid_client", "unauthorized_client"]);

function faultOf(cause: unknown, secrets: readonly string[]): string {
  const { message, cause: below } = cause as Error;
  let said = message;
  if (cause instanceof oauth.ResponseBodyError || cause instanceof oauth.AuthorizationResponseError)
    said = [cause.error, cause.error_description].filter(Boolean).join(": ");
  else if ((cause as Error).name === "TimeoutError") said = "no answer in time";
  else if (below !== undefined && typeof (below as NodeJS.ErrnoException).code === "string")
    said = `${message} (${(below as NodeJS.ErrnoException).code})`;
  for (const secret of secrets) if (secret.length >= 8) said = said.replaceAll(secret, "…");
  return printable(said, 300);
}
