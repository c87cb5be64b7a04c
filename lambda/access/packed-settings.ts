import type { AccessSettings } from "../edge/access-settings.ts";
import { CodedError } from "../golang/coded-error.ts";
import { isValue } from "./private-texts.ts";

/**
 * Returns the key value `access`: who is served what without a token.
 *
 * Of private modules it has the patterns that `layOutPrivate` finds no other place for. Throws `CodedError`
 * "private-full" when they do not fit: about 980 bytes of them do.
 */
export function packAccess({ anonymous, private: patterns }: AccessSettings): string {
  const value = JSON.stringify({ anonymous, private: patterns });
  if (!isValue(value)) {
    throw new CodedError(
      "private-full",
      "private: patterns of one element, and those with a glob in the first two, must fit 980 bytes together: use wider ones",
    );
  }
  return value;
}
