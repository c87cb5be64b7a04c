import { CodedError } from "../../lambda/golang/coded-error.ts";
import type { Login } from "./login.ts";
import { askServer, type ServerAnswer, type ServerQuestion } from "./server-answer.ts";

/** What a server takes for a token: an ID token, or a client certificate with its key as PEM. */
export type Proof =
  | { readonly idToken: string }
  | { readonly certificate: { readonly cert: Buffer; readonly key: Buffer } };

/**
 * Exchanges a proof for a token.
 *
 * Throws `CodedError` "login-refused" with what the server says, "login-unreachable" where it says nothing that can be
 * understood.
 */
export async function exchange(server: string, proof: Proof, now: () => number): Promise<Login> {
  const question: ServerQuestion = { method: "POST", path: "/-/token", ...carried(proof) };
  const answer = await askServer(server, question);
  if (answer.status !== 200) throw new CodedError("login-refused", `${server}: ${answer.detail}`);
  return parseAnswer(server, answer, now());
}

function carried(proof: Proof): Pick<ServerQuestion, "body" | "certificate"> {
  return "idToken" in proof ? { body: { id_token: proof.idToken } } : { certificate: proof.certificate };
}

/** How long a token lasts is told by the server's clock alone, so that this machine's may be wrong. */
function parseAnswer(server: string, { fields, date }: ServerAnswer, now: number): Login {
  const { token, expires } = fields;
  const end = typeof expires === "string" ? Date.parse(expires) : Number.NaN;
  if (typeof token !== "string" || !/^mf_[\w-]+\.[\w-]{43}$/.test(token) || Number.isNaN(end))
    throw new CodedError("login-unreachable", `${server} answers with something that is no token`);
  return { token, obtained: now, expires: now + (end - (date ?? now)) };
}
