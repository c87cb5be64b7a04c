import type { AccessSettings, ChannelRow } from "../edge/access-settings.ts";
import { CodedError } from "../golang/coded-error.ts";
import { isValue } from "./private-texts.ts";

/**
 * Returns the key value `access`: who is served what without a token.
 *
 * Of private modules it has the patterns that `layOutPrivate` finds no other place for. Throws `CodedError`
 * "private-full" when they do not fit beside the channels: about 980 bytes of both do.
 */
export function packAccess({ anonymous, private: patterns, channels = [] }: AccessSettings): string {
  const value = JSON.stringify({ anonymous, private: patterns, ...(channels.length > 0 && { channels }) });
  if (!isValue(value)) {
    if (channels.length > 0) throw full(channels);
    throw new CodedError(
      "private-full",
      "private: patterns of one element, and those with a glob in the first two, must fit 980 bytes together: use wider ones",
    );
  }
  return value;
}

function full(channels: readonly ChannelRow[]): CodedError {
  const bytes = Buffer.byteLength(JSON.stringify(channels));
  return new CodedError(
    "private-full",
    `channels: their ${bytes} bytes at the edge, and those of private patterns of one element or with a glob, are more than 980 together: use fewer or shorter ones`,
  );
}
