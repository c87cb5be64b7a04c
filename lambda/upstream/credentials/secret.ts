import { CodedError, isCodedError } from "../../golang/coded-error.ts";

/** Where the text of a secret is: never in the configuration itself. */
export type SecretReference = { readonly env: string } | { readonly file: string } | { readonly aws: string };

/** Reads the text of a secret. Throws when it cannot; its errors are not shown. */
export type ReadSecret = (reference: SecretReference) => Promise<string>;

/** Milliseconds for which a secret that was read again is not looked at once more: refusals may come by the hundred. */
const rest = 10_000;

/** A secret of the configuration, read when it is needed and again when it was refused. */
export class Secret {
  readonly #where: string;
  readonly #read: () => Promise<string>;
  readonly #now: () => number;
  #text: Promise<string> | undefined;
  #readAt = Number.NEGATIVE_INFINITY;

  /** `where` is the key of the configuration that names it, `now` milliseconds on a clock that does not go back. */
  constructor(where: string, reference: SecretReference, read: ReadSecret, now: () => number) {
    this.#where = where;
    this.#read = async () => checked(await read(reference), where, reference);
    this.#now = now;
  }

  /** Its text, without what an editor puts at the end of a file. Throws `CodedError` "config" that names the key. */
  text(): Promise<string> {
    this.#text ??= this.#load();
    return this.#text;
  }

  /** Reads it again, unless that was just done; true when it has changed. One that cannot be read now stays as it is. */
  async renew(): Promise<boolean> {
    if (this.#now() - this.#readAt < rest) return false;
    const before = await this.text();
    const next = this.#load();
    try {
      if ((await next) === before) return false;
    } catch {
      return false;
    }
    this.#text = next;
    return true;
  }

  #load(): Promise<string> {
    this.#readAt = this.#now();
    const text = this.#read().catch((cause: unknown) => {
      if (this.#text === text) this.#text = undefined;
      if (isCodedError<string>(cause, "config")) throw cause;
      throw new CodedError("config", `configuration key ${this.#where}: the secret cannot be read`, { cause });
    });
    return text;
  }
}

function checked(text: string, where: string, reference: SecretReference): string {
  const secret = text.replace(/[\r\n]+$/, "");
  if (secret !== "") return secret;
  const [[kind, name] = []] = Object.entries(reference);
  throw new CodedError("config", `configuration key ${where}: ${kind} ${name} is empty`);
}
