import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** What a provider is started with. */
export interface ProviderTask {
  /** The client it knows: a native one, without a secret, with any port of 127.0.0.1 and `/callback`. */
  readonly clientId: string;
  /** A secret that it gives its client all the same, as Google does. */
  readonly clientSecret?: string;
  /** Whether refresh tokens are given, or only where `prompt=consent` asks for them, as the standard has it; each can be used once. */
  readonly refreshes: boolean | "consent";
  readonly idTokenSeconds: number;
  /** The claim `groups` of everybody. */
  readonly groups: readonly string[];
}

const script = join(import.meta.dirname, "oidc-provider-child.ts");

/** A real OpenID provider (`oidc-provider`) in a process of its own on 127.0.0.1. Any login with any password is an account. */
export class OidcProvider implements AsyncDisposable {
  readonly issuer: string;
  readonly clientId: string;
  /** The grant type of each token that was given; `"refresh_token: invalid_grant"` of each that was refused. */
  readonly grants: string[] = [];
  readonly #child: ChildProcess;

  private constructor(issuer: string, clientId: string, child: ChildProcess) {
    this.issuer = issuer;
    this.clientId = clientId;
    this.#child = child;
  }

  static async start(task: Partial<ProviderTask> = {}): Promise<OidcProvider> {
    const all = { clientId: "modfront-cli", refreshes: true, idTokenSeconds: 300, groups: ["go"], ...task };
    const child = spawn(process.execPath, [script, JSON.stringify(all)], {
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    const ended = once(child, "exit").then(() => [""]);
    const [issuer = ""]: string[] = await Promise.race([once(child, "message"), ended]);
    if (issuer === "") throw new Error("the provider did not start");
    const provider = new OidcProvider(issuer, all.clientId, child);
    child.on("message", (grant) => provider.grants.push(String(grant)));
    return provider;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }
}
