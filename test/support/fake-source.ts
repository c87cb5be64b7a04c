import type { FetchOptions, ModuleSource } from "../../lambda/proxy/sources/module-source.ts";
import { ServedError, type ServedErrorCode } from "../../lambda/proxy/store/served-error.ts";

/** What an upstream has under a path: a text, or how the ask for it fails. */
export type SourceAnswer = string | { readonly code: ServedErrorCode };

/** A `ModuleSource` by a table of paths below `/<module>/`; "not-found" for what is not in it. */
export class FakeSource implements ModuleSource {
  readonly calls: string[];
  /** `{ "@v/list": "v1.0.0\n" }`; a test changes it as it goes. */
  answers: Readonly<Record<string, SourceAnswer>> = {};
  /** When set, every ask fails with it. */
  outage: ServedErrorCode | undefined;
  /** How long an answer takes to come. */
  delay = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve));

  /** Each ask is noted in `calls` as `"upstream <path below the module>"`. */
  constructor(calls: string[] = []) {
    this.calls = calls;
  }

  async fetch<T>(_module: string, path: string, { limit, consume }: FetchOptions<T>): Promise<T> {
    const name = path.slice(path.indexOf("/@") + 1);
    this.calls.push(`upstream ${name}`);
    await this.delay();
    const answer = this.outage === undefined ? this.answers[name] : { code: this.outage };
    if (answer === undefined) throw new ServedError("not-found", `the upstream has no ${name}`);
    if (typeof answer !== "string") throw new ServedError(answer.code, `the upstream said ${answer.code}`);
    const body = Buffer.from(answer);
    if (body.length > limit) throw new ServedError("upstream-failed", "the body is too large");
    return consume({ chunks: chunksOf(body), length: body.length });
  }

  isPrivate(): boolean {
    return false;
  }

  hasUpstream(): boolean {
    return true;
  }
}

async function* chunksOf(body: Uint8Array): AsyncIterable<Uint8Array> {
  yield body;
}
