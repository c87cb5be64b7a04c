/** What a verified token says, by the names of claims. */
export type TokenClaims = Readonly<Record<string, unknown>>;

/**
 * Returns the texts of a claim: one, or those of a list. Numbers and booleans are the texts that JSON has for them;
 * whatever else is in a claim has no text.
 *
 * A claim within another is named with a dot between: `"https://sts.amazonaws.com/.aws_account"`. A claim that has the whole
 * name goes first.
 */
export function claimTexts(claims: TokenClaims, name: string): readonly string[] {
  return [findClaim(claims, name)].flat().flatMap(textOf);
}

function findClaim(claims: TokenClaims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  for (const [outer, value] of Object.entries(claims)) {
    if (isObject(value) && name.startsWith(`${outer}.`)) {
      const found = findClaim(value, name.slice(outer.length + 1));
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function isObject(value: unknown): value is TokenClaims {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return typeof value === "number" || typeof value === "boolean" ? [String(value)] : [];
}
