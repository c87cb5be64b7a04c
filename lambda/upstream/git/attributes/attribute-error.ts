import { CodedError } from "../../../golang/coded-error.ts";

/**
 * Thrown for a commit whose files cannot be had as `git archive` writes them: "unsupported-encoding" a file is to be in an
 * encoding other than UTF-8 and UTF-16; "attributes-too-costly" its `.gitattributes` would take more work than they may;
 * "too-large-to-convert" a file that is to be converted in one piece is longer than it may be.
 */
export class AttributeError extends CodedError<
  "unsupported-encoding" | "attributes-too-costly" | "too-large-to-convert"
> {}

/** How much work all patterns of one commit may make. An element is a comparison, a state or a byte of a text. */
export class Budget {
  #left: number;

  constructor(elements: number) {
    this.#left = elements;
  }

  /** Throws `AttributeError` "attributes-too-costly" when it is used up. */
  spend(elements: number): void {
    this.#left -= elements;
    if (this.#left >= 0) return;
    throw new AttributeError("attributes-too-costly", "its .gitattributes files take more work than is done for them");
  }
}
