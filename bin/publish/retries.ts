import { CodedError } from "../../lambda/golang/coded-error.ts";

/** What went wrong this time and may go right the next. */
export class PassingFailure extends CodedError<"passing"> {
  /** Seconds, as the server asks. */
  readonly after: number | undefined;

  constructor(message: string, after?: number | undefined, options?: { readonly cause?: unknown }) {
    super("passing", message, options);
    this.after = after;
  }
}

/** Tries in all; with the pauses between them about a minute. */
const mostTries = 7;

/** Seconds before the second try; each further pause is twice as long, less a part left to chance. */
const firstPause = 1;

/** Seconds that a server may ask for. */
const longestPause = 120;

export interface RetryWay {
  readonly note: (line: string) => void;
  /** Resolves after so many seconds. */
  readonly pause: (seconds: number) => Promise<unknown>;
}

/** Does it again until it goes right or is refused for good. Throws `CodedError` "answer" where it never did. */
export async function retried<T>(work: () => Promise<T>, { note, pause }: RetryWay): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof PassingFailure)) throw error;
      if (tries === mostTries) throw new CodedError("answer", `${error.message}, ${tries} times`, { cause: error });
      const own = firstPause * 2 ** (tries - 1) * (1 - Math.random() / 4);
      const seconds = Math.min(longestPause, error.after ?? own);
      note(`${error.message}: trying again in ${Math.ceil(seconds)} s`);
      await pause(seconds);
    }
  }
}
