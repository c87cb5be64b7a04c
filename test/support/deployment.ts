import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { runCli } from "./cli.ts";
import type { Ministack } from "./ministack.ts";

// A real `cdk deploy` of the real app against the emulator.

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const bin = join(root, "node_modules/.bin");
/** Ignored by git, and no temporary folder: it must last as long as the deployment. */
const workshop = join(root, "cdk.out");
const emulatorAccount = "aws://000000000000/us-east-1";

export interface Template {
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties: Record<string, unknown> }>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown }>>;
}

/** One deployment: the CDK's command line with everything it writes in folders of its own. */
export class Deployment {
  readonly #aws: Ministack;
  readonly #folder = mkdtempSync(join(mkdirSync(workshop, { recursive: true }) ?? workshop, "deploy-"));

  constructor(aws: Ministack) {
    this.#aws = aws;
  }

  /** What was synthesised last. */
  get configFile(): string {
    return join(this.#folder, "modfront.config.json");
  }

  /** From another folder: in the project's it would synthesise the app into the folder that is deployed. */
  async bootstrap(): Promise<void> {
    await this.#cdk(this.#folder, "bootstrap", emulatorAccount);
  }

  async synth(config: unknown): Promise<void> {
    writeFileSync(this.configFile, JSON.stringify(config));
    await this.#cdk(root, "synth", "--quiet", "-c", "emulator=true", "--output", this.#assembly);
  }

  /** Has the next deployment fail at the resource of this type, until the app is synthesised again. */
  damage(stack: string, type: string, property: string): void {
    const files = [`${stack}.template.json`, `${stack}.assets.json`, "manifest.json"];
    const [template = "", assets = "", manifest = ""] = files.map((name) => join(this.#assembly, name));
    const { Resources, ...rest } = JSON.parse(readFileSync(template, "utf8")) as Template;
    const damaged = Object.values(Resources).find(({ Type }) => Type === type);
    if (damaged === undefined) throw new Error(`no ${type} in ${stack}`);
    damaged.Properties[property] = "no such thing";
    writeFileSync(template, JSON.stringify({ ...rest, Resources }));
    // A template is uploaded once under the hash that names it.
    const hashes = Object.keys(JSON.parse(readFileSync(assets, "utf8")).files);
    for (const file of [assets, manifest])
      for (const hash of hashes)
        writeFileSync(file, readFileSync(file, "utf8").replaceAll(hash, hash.replace(/^.{8}/, "damaged-")));
  }

  /** What the command line said. */
  async deploy(...stacks: readonly string[]): Promise<string> {
    const which = stacks.length === 0 ? ["--all"] : stacks;
    const outputs = ["--outputs-file", this.#outputsFile];
    return await this.#cdk(
      root,
      "deploy",
      ...which,
      "--app",
      this.#assembly,
      "--require-approval",
      "never",
      ...outputs,
    );
  }

  /**
   * Takes in what an earlier deployment left, as docs/deploy.md says; only resources of these types where some are named.
   * Returns the types that were found, by stack.
   */
  async adopt(only?: readonly string[]): Promise<Readonly<Record<string, readonly string[]>>> {
    const { code, stdout, stderr } = await runCli(["adopt", "--app", this.#assembly], { environment: this.#aws.env });
    if (code !== 0) throw new Error(stderr);
    const found: Record<string, readonly string[]> = {};
    for (const line of stdout.trim().split("\n").filter(Boolean)) {
      const [, , ...args] = line.split(" ");
      const [stack = "", mapping = ""] = [args[1], args.at(-1)];
      const kept = Object.entries<unknown>(JSON.parse(readFileSync(mapping, "utf8")));
      const typeOf = (id: string) => this.template(stack).Resources[id]?.Type ?? "";
      found[stack] = kept.map(([id]) => typeOf(id)).sort();
      const taken = kept.filter(([id]) => only?.includes(typeOf(id)) ?? true);
      writeFileSync(mapping, JSON.stringify(Object.fromEntries(taken)));
      await this.#cdk(root, ...args, "--force");
    }
    return found;
  }

  /** The outputs of the last deployment, by stack. */
  get outputs(): Readonly<Record<string, Readonly<Record<string, string>>>> {
    return JSON.parse(readFileSync(this.#outputsFile, "utf8"));
  }

  async destroy(): Promise<string> {
    return await this.#cdk(root, "destroy", "--all", "--force", "--app", this.#assembly);
  }

  /** Removes what the command line wrote; the deployment itself goes with the emulator. */
  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The synthesised template of the stack whose name has `part` in it. */
  template(part: string): Template {
    const name = readdirSync(this.#assembly).find((file) => file.includes(part) && file.endsWith(".template.json"));
    if (name === undefined) throw new Error(`no template of ${part}`);
    return JSON.parse(readFileSync(join(this.#assembly, name), "utf8"));
  }

  get #outputsFile(): string {
    return join(this.#folder, "outputs.json");
  }

  get #assembly(): string {
    return join(this.#folder, "cdk.out");
  }

  async #cdk(cwd: string, ...args: readonly string[]): Promise<string> {
    const env = {
      ...process.env,
      ...this.#aws.env,
      PATH: [bin, process.env.PATH].join(delimiter),
      HOME: this.#folder,
      MODFRONT_CONFIG: this.configFile,
      CI: "true",
      CDK_DISABLE_CLI_TELEMETRY: "true",
    };
    try {
      const { stdout, stderr } = await run(join(bin, "cdk"), args, { cwd, env, maxBuffer: 1 << 26 });
      return stdout + stderr;
    } catch (error) {
      const { stdout, stderr } = error as { stdout?: string; stderr?: string };
      throw new Error(`cdk ${args.join(" ")} failed:\n${stdout}\n${stderr}`.slice(-6000));
    }
  }
}
