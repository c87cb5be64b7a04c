import { CodedError } from "../../lambda/golang/coded-error.ts";
import { printable } from "../../lambda/golang/shown-text.ts";
import { askServer } from "./server-answer.ts";

/** A provider by which people sign in to a server. */
export interface OfferedProvider {
  readonly issuer: string;
  readonly clientId: string;
}

/** Returns the providers that a server takes people from; none where it takes none, or is of a time before. */
export async function offeredProviders(server: string): Promise<readonly OfferedProvider[]> {
  const { status, fields } = await askServer(server, { method: "GET", path: "/-/token" });
  if (status !== 200 || !Array.isArray(fields.issuers)) return [];
  return fields.issuers.filter(
    (each) => typeof each?.issuer === "string" && typeof each?.clientId === "string" && URL.canParse(each.issuer),
  );
}

/** The one of them that is meant. Throws `CodedError` "usage" where that is not clear. */
export function chosenProvider(offered: readonly OfferedProvider[], issuer: string | undefined): OfferedProvider {
  const meant = issuer === undefined ? offered : offered.filter((each) => each.issuer === issuer);
  const [only, other] = meant;
  if (only !== undefined && other === undefined) return only;
  const names = offered.map((each) => printable(each.issuer, 200)).join(", ");
  throw new CodedError("usage", `--issuer says by which provider: ${names}`);
}
