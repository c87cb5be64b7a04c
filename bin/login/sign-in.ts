import { setTimeout as sleep } from "node:timers/promises";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import { printable } from "../../lambda/golang/shown-text.ts";
import { CallbackListener } from "./callback-listener.ts";
import { openBrowser } from "./open-browser.ts";
import { type Grant, Provider, type ProviderClient, type Wishes } from "./provider.ts";
import type { Renewer } from "./renewed-login.ts";

/** How a person is signed in. */
export interface SignIn {
  readonly client: ProviderClient;
  readonly wishes: Wishes;
  /** The port of 127.0.0.1 to which the browser comes back, where the provider knows one alone; 0 is any. */
  readonly port: number;
  /** Seconds that the person has. */
  readonly wait: number;
}

/** Signs a person in by the browser of this machine: code and PKCE. Throws as `Provider` and `CallbackListener` do. */
export async function signInByBrowser({ client, wishes, port, wait }: SignIn, renewer: Renewer): Promise<Grant> {
  const provider = await Provider.discover(client, renewer.now);
  await using listener = await CallbackListener.listen(port);
  const authorization = await provider.authorize(listener.redirectUri, wishes);
  const answered = listener.answer((url) => {
    if (url.searchParams.getAll("state").join("\n") !== authorization.state)
      throw new CodedError("not-awaited", "this answer has another state");
    return provider.checkAnswer(url, authorization);
  }, wait);
  const opened = openBrowser(renewer, authorization.url.href);
  renewer.note(`sign in at ${authorization.url.href}`);
  opened.then(
    (isOpen) => isOpen || renewer.note("no browser can be opened here: open the address yourself, or --device"),
  );
  return await provider.redeem(await answered, authorization);
}

/** Signs a person in by another device, on which they type a code (RFC 8628); `pause` waits for milliseconds. */
export async function signInByDevice(
  { client, wishes, wait }: SignIn,
  renewer: Renewer,
  pause: (milliseconds: number) => Promise<unknown> = sleep,
): Promise<Grant> {
  const provider = await Provider.discover(client, renewer.now);
  const code = await provider.askDeviceCode(wishes);
  renewer.note(`open ${printable(code.address, 500)} and say that the code is ${printable(code.userCode, 40)}`);
  let left = Math.min(wait, code.expiresIn);
  for (let { interval } = code; left > 0; left -= interval) {
    await pause(interval * 1000);
    const grant = await provider.redeemDeviceCode(code);
    if (typeof grant === "object") return grant;
    if (grant === "slow_down") interval += 5;
  }
  throw new CodedError("login-timeout", "nobody signed in by that code in time");
}
