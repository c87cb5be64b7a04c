import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import type { Login } from "../../bin/login/login.ts";
import { makeCertificate } from "./certificate.ts";
import { type CliRun, RunningCli, runCli } from "./cli.ts";
import { dataFolder } from "./data-folder.ts";
import { OidcProvider, type ProviderTask } from "./oidc-provider.ts";
import { type ExchangeScript, ScriptedExchange } from "./scripted-exchange.ts";

const browser = join(import.meta.dirname, "scripted-browser.ts");

/** A person's machine with the real CLI, a real provider in a process of its own, and a scripted modfront that trusts it. */
export class LoginWorld {
  readonly provider: OidcProvider;
  readonly server: ScriptedExchange;
  readonly environment: Readonly<Record<string, string>>;
  /** The file of logins. */
  readonly file: string;

  private constructor(provider: OidcProvider, server: ScriptedExchange, home: string, cert: string) {
    this.provider = provider;
    this.server = server;
    this.file = join(home, ".config/modfront/logins.json");
    this.environment = {
      HOME: home,
      NODE_EXTRA_CA_CERTS: cert,
      BROWSER: `${process.execPath} ${browser} gopher`,
    };
  }

  static async open(
    t: TestContext,
    task: Partial<ProviderTask> = {},
    script: Partial<ExchangeScript> = {},
  ): Promise<LoginWorld> {
    const folder = dataFolder(t);
    const certificate = makeCertificate(folder);
    const provider = await OidcProvider.start(task);
    t.after(() => provider[Symbol.asyncDispose]());
    const issuers = [{ issuer: provider.issuer, clientId: provider.clientId }];
    const server = await ScriptedExchange.start({ issuers, seconds: 600, ...script }, certificate);
    t.after(() => server[Symbol.asyncDispose]());
    return new LoginWorld(provider, server, folder, certificate.cert);
  }

  async run(args: readonly string[], input = ""): Promise<CliRun> {
    return await runCli(args, { environment: this.environment, input });
  }

  start(args: readonly string[], environment: Readonly<Record<string, string>> = {}): RunningCli {
    return new RunningCli(args, { ...this.environment, ...environment });
  }

  async login(...flags: readonly string[]): Promise<void> {
    const { code, stderr } = await this.run(["login", this.server.url, ...flags]);
    if (code !== 0) throw new Error(stderr);
  }

  /** What go runs after an answer. */
  async credential(status = "404 Not Found"): Promise<CliRun> {
    return await this.run(["credential", `${this.server.url}/m/@v/list`], `HTTP/1.1 ${status}\nDate: x\n\n`);
  }

  get kept(): Login {
    return JSON.parse(readFileSync(this.file, "utf8"))[this.server.url];
  }

  /** Changes what is kept, as the time does. */
  keep(login: Login): void {
    mkdirSync(dirname(this.file), { recursive: true });
    writeFileSync(this.file, JSON.stringify({ [this.server.url]: login }), { mode: 0o600 });
  }

  /** Makes the token that is kept one of ten minutes, of which so many seconds are over. */
  age(seconds: number): void {
    const obtained = Date.now() - seconds * 1000;
    this.keep({ ...this.kept, obtained, expires: obtained + 600_000 });
  }
}

/** What `credential` prints for a server and the token of an exchange. */
export function printedCredential(server: ScriptedExchange, exchange: number): string {
  const basic = Buffer.from(`modfront:${ScriptedExchange.token(exchange)}`).toString("base64");
  return `${server.url}\n\nAuthorization: Basic ${basic}\n\n`;
}
