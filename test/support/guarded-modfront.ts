import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createToken, type TokenRequest } from "../../lambda/access/tokens.ts";
import { SqliteTokenStore } from "../../lambda/local/access/sqlite-token-store.ts";
import { type Certificate, makeCertificate, skipWithoutOpenssl } from "./certificate.ts";
import { makeDataFolder } from "./data-folder.ts";
import { GoMachine, skipWithoutGo } from "./go-command.ts";
import { ModfrontProcess } from "./modfront-process.ts";
import { filePath, moduleFixture, versionsPath } from "./module-fixture.ts";
import { ScriptedUpstream } from "./scripted-upstream.ts";

/** go sends credentials nowhere but on https. */
export const skipWithoutGoAndTls: string | false = skipWithoutGo || skipWithoutOpenssl;

/** How a go command reaches it. */
export interface Visit {
  readonly proxy: string;
  /** The text of a netrc file. */
  readonly netrc?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** `npm start` over TLS for token holders only, with an upstream; modules below `corp.example` are private. */
export class GuardedModfront implements AsyncDisposable {
  readonly upstream: ScriptedUpstream;
  readonly process: ModfrontProcess;
  readonly certificate: Certificate;
  readonly #folder: ReturnType<typeof makeDataFolder>;
  readonly #machines: GoMachine[] = [];

  private constructor(
    upstream: ScriptedUpstream,
    process: ModfrontProcess,
    certificate: Certificate,
    folder: ReturnType<typeof makeDataFolder>,
  ) {
    this.upstream = upstream;
    this.process = process;
    this.certificate = certificate;
    this.#folder = folder;
  }

  static start(...flags: readonly string[]): Promise<GuardedModfront> {
    return GuardedModfront.startWith({}, ...flags);
  }

  /** The same with more of a configuration. */
  static async startWith(more: object, ...flags: readonly string[]): Promise<GuardedModfront> {
    const folder = makeDataFolder();
    const upstream = await ScriptedUpstream.start();
    const certificate = makeCertificate(folder.path);
    const config = join(folder.path, "config.json");
    const upstreams = [{ patterns: "corp.example", chain: upstream.url }];
    const basics = { access: { anonymous: "none" }, private: ["corp.example"], upstreams };
    writeFileSync(config, JSON.stringify({ ...basics, ...more }));
    const tls = ["--tls-cert", certificate.cert, "--tls-key", certificate.key];
    const data = join(folder.path, "data");
    const all = ["--data", data, "--config", config, "--upstream", upstream.url, ...tls, ...flags];
    return new GuardedModfront(upstream, await ModfrontProcess.start(...all), certificate, folder);
  }

  get data(): string {
    return join(this.#folder.path, "data");
  }

  /** A file beside the data folder, gone with it. */
  path(name: string): string {
    return join(this.#folder.path, name);
  }

  /** `"127.0.0.1:43210"`: with the port, as go looks netrc machines up. */
  get host(): string {
    return new URL(this.process.url).host;
  }

  /** Gives the upstream a module. */
  script(path: string, ...versions: readonly string[]): void {
    for (const version of versions) {
      const module = moduleFixture(path, version);
      for (const kind of ["info", "mod", "zip"] as const) {
        this.upstream.on(filePath(module, kind), { body: module[kind] });
      }
    }
    this.upstream.on(`${versionsPath({ path })}/list`, { body: versions.map((version) => `${version}\n`).join("") });
  }

  async token(request: Partial<TokenRequest> = {}): Promise<string> {
    const store = new SqliteTokenStore(this.data);
    const wanted = { subject: "gopher", role: "viewer", modules: "corp.example", days: 1, ...request };
    return (await createToken(store, wanted, Math.floor(Date.now() / 1000))).token;
  }

  /** A developer's machine that trusts the certificate; its checksum database is off unless it says otherwise. */
  machine({ proxy, netrc, environment }: Visit): GoMachine {
    const netrcFile = this.path(`netrc-${this.#machines.length}`);
    writeFileSync(netrcFile, netrc ?? "", { mode: 0o600 });
    const own = { GOSUMDB: "off", NETRC: netrcFile, SSL_CERT_FILE: this.certificate.cert, ...environment };
    const machine = new GoMachine(proxy, own).write("go.mod", "module example.org/here\n");
    this.#machines.push(machine);
    return machine;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const machine of this.#machines) machine[Symbol.dispose]();
    await this.process.stop();
    await this.upstream.close();
    this.#folder.remove();
  }
}
