import { CloudFront } from "./cloudfront.ts";
import { planOf } from "./cloudfront-plan.ts";
import { Deployment } from "./deployment.ts";
import { type Ministack, startMinistack } from "./ministack.ts";

// modfront deployed: the emulator with the real app in it, and the stand-in for CloudFront in front.

const account = "000000000000";

export class Site implements AsyncDisposable {
  readonly aws: Ministack;
  readonly deployment: Deployment;
  #edge: CloudFront | undefined;
  readonly #values = new Map<string, { readonly value: Promise<string>; readonly until: number }>();
  /** The ids of the APIs of the edge's own stack, by the name they have in its template. */
  controlApis: Readonly<Record<string, string>> = {};
  /** The address of the edge: what GOPROXY is set to. */
  url = "";

  private constructor(aws: Ministack) {
    this.aws = aws;
    this.deployment = new Deployment(aws);
  }

  /** Deploys the app with this configuration into an empty account, whose functions find these in their environment too. */
  static async start(
    config: unknown,
    environment: (endpoint: string) => Record<string, string> = () => ({}),
  ): Promise<Site> {
    const site = new Site(await startMinistack(environment));
    try {
      await site.deployment.bootstrap();
      await site.deployment.synth(config);
      await site.deployment.deploy();
      await site.open();
      return site;
    } catch (error) {
      await site.stop();
      throw error;
    }
  }

  get edge(): CloudFront {
    if (this.#edge === undefined) throw new Error("the edge is not open");
    return this.#edge;
  }

  /** Puts a new, empty edge before what is deployed now. */
  async open(): Promise<void> {
    await this.#edge?.stop();
    const refs = {
      "AWS::AccountId": account,
      "AWS::Partition": "aws",
      "AWS::Region": "us-east-1",
      "AWS::URLSuffix": "amazonaws.com",
    };
    const edge = this.deployment.template("-edge");
    this.controlApis = await this.#apis();
    const plan = planOf(edge, { refs: { ...refs, ...this.controlApis }, imports: this.#exports() });
    this.#edge = new CloudFront({
      plan,
      endpoint: this.aws.endpoint,
      keyValue: (name) => this.#keyValue(name),
      invalidated: () => this.#invalidated(),
    });
    this.url = await this.#edge.start();
  }

  async #apis(): Promise<Record<string, string>> {
    const body = new URLSearchParams({ Action: "DescribeStackResources", StackName: "modfront-edge" });
    const authorization = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/cloudformation/aws4_request";
    const answer = await fetch(this.aws.endpoint, { method: "POST", headers: { authorization }, body });
    const members = (await answer.text()).split("</member>");
    const field = (member: string, name: string) => new RegExp(`<${name}>([^<]*)<`).exec(member)?.[1] ?? "";
    const apis = members.filter((member) => field(member, "ResourceType") === "AWS::ApiGatewayV2::Api");
    return Object.fromEntries(
      apis.map((member) => [field(member, "LogicalResourceId"), field(member, "PhysicalResourceId")]),
    );
  }

  /** Exports are named after the stack and the output. */
  #exports(): Record<string, string> {
    const stacks = Object.entries(this.deployment.outputs);
    return Object.fromEntries(
      stacks.flatMap(([stack, outputs]) => Object.entries(outputs).map(([name, value]) => [`${stack}:${name}`, value])),
    );
  }

  /** As the store has it; asked once a second, as its copies at the edge lag too. */
  #keyValue(name: string): Promise<string> {
    const known = this.#values.get(name);
    if (known !== undefined && Date.now() < known.until) return known.value;
    const value = this.#readKeyValue(name);
    this.#values.set(name, { value, until: Date.now() + 1000 });
    return value;
  }

  readonly #taken = new Set<string>();

  /** What the emulator was asked to invalidate and does nothing about. */
  async #invalidated(): Promise<readonly string[]> {
    const base = `${this.aws.endpoint}/2020-05-31/distribution`;
    const all = async (url: string, name: string) =>
      [...(await (await fetch(url)).text()).matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g"))].map(
        (each) => each[1] ?? "",
      );
    const [distribution = ""] = await all(base, "Id");
    const ids = await all(`${base}/${distribution}/invalidation`, "Id");
    const news = ids.filter((id) => !this.#taken.has(id));
    for (const id of news) this.#taken.add(id);
    return (await Promise.all(news.map((id) => all(`${base}/${distribution}/invalidation/${id}`, "Path")))).flat();
  }

  async #readKeyValue(name: string): Promise<string> {
    const answer = await fetch(`${this.#store}/keys/${name}`);
    if (!answer.ok) throw new Error(`no key value ${name}: ${answer.status}`);
    return ((await answer.json()) as { readonly Value: string }).Value;
  }

  /** Writes values as somebody else would have, as many at a time as CloudFront takes. */
  async writeKeyValues(values: ReadonlyMap<string, string>): Promise<void> {
    const Puts = [...values].map(([Key, Value]) => ({ Key, Value }));
    for (let from = 0; from < Puts.length; from += 50) {
      const version = (await fetch(this.#store)).headers.get("etag") ?? "";
      const body = JSON.stringify({ Puts: Puts.slice(from, from + 50) });
      const headers = { "if-match": version, "content-type": "application/json" };
      const answer = await fetch(`${this.#store}/keys`, { method: "POST", headers, body });
      if (!answer.ok) throw new Error(`key values are not taken: ${answer.status} ${await answer.text()}`);
    }
  }

  get #store(): string {
    const arn = `arn:aws:cloudfront::${account}:key-value-store/modfront`;
    return `${this.aws.endpoint}/key-value-stores/${encodeURIComponent(arn)}`;
  }

  async stop(): Promise<void> {
    await this.#edge?.stop();
    await this.aws.stop();
    this.deployment.remove();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
