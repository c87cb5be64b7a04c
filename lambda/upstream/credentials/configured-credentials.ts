import { CodedError, isCodedError } from "../../golang/coded-error.ts";
import { UpstreamFailure } from "../../proxy/sources/upstream.ts";
import { type Authorization, basicAuthorization, bearerAuthorization, type Credentials } from "./credentials.ts";
import type { Secret, SecretReference } from "./secret.ts";
import { isInScope, parseScope, type UrlScope } from "./url-scope.ts";

export type CredentialKind = "basic" | "bearer" | "github-app";

/** What of a rule is no secret. */
export interface OpenRule {
  readonly match: string;
  readonly kind: CredentialKind;
  readonly user?: string | undefined;
  readonly api?: string | undefined;
}

/** A rule as the configuration has it. */
export interface CredentialRule extends OpenRule {
  readonly secret: SecretReference;
}

/** What is read of a secret. */
export type SecretSource = Pick<Secret, "text" | "renew">;

/** Makes what answers for a GitHub App. */
export type OpenGithubApp = (rule: OpenRule, scope: UrlScope, privateKey: SecretSource) => Credentials;

export interface OpenedRule {
  readonly scope: UrlScope;
  readonly credentials: Credentials;
}

/** The user of a token that is given without one: the hosts that take a token as a password ask for some name. */
const tokenUser = "git";

/** The credentials of the configuration: of the rules whose scope has a URL, the one with the longest path. */
export class ConfiguredCredentials implements Credentials {
  readonly #rules: readonly OpenedRule[];

  /** `secrets` are those of the rules, one by one. Throws `CodedError` "config". */
  constructor(rules: readonly CredentialRule[], secrets: readonly Secret[], openGithubApp: OpenGithubApp) {
    const opened = rules.flatMap((rule, i) => {
      const secret = secrets[i];
      return secret === undefined ? [] : [openRule(rule, `credentials.${i}`, secret, openGithubApp)];
    });
    // Of two with the same length the first, as everywhere where rules are in order.
    this.#rules = opened.sort((a, b) => b.scope.elements.length - a.scope.elements.length);
  }

  find(url: URL): OpenedRule | undefined {
    return this.#rules.find(({ scope }) => isInScope(url, scope));
  }

  async authorize(url: URL, signal?: AbortSignal): Promise<Authorization | undefined> {
    const rule = this.find(url);
    try {
      return await rule?.credentials.authorize(url, signal);
    } catch (cause) {
      if (!isCodedError<string>(cause, "config")) throw cause;
      throw new UpstreamFailure("no-credentials", `cannot be asked: ${cause.message}`, { cause });
    }
  }
}

/** Makes a rule of its parts. Throws `CodedError` "config" that names `where` it stands. */
export function openRule(
  rule: OpenRule,
  where: string,
  secret: SecretSource,
  openGithubApp: OpenGithubApp,
): OpenedRule {
  const scope = parseScope(rule.match);
  if (scope === undefined)
    throw new CodedError("config", `configuration key ${where}.match: expected a host or host/path`);
  if (rule.kind === "github-app") return { scope, credentials: openGithubApp(rule, scope, secret) };
  const authorize = async () => {
    const text = await secret.text();
    const renew = () => secret.renew();
    if (rule.kind === "basic") return basicOf(rule.user, text, renew);
    if (/^[\x21-\x7e]+$/.test(text)) return bearerAuthorization(text, renew);
    throw new CodedError("config", `configuration key ${where}.secret: holds something that is not a token`);
  };
  return { scope, credentials: { authorize } };
}

function basicOf(user: string | undefined, text: string, renew: Authorization["renew"]): Authorization {
  if (user !== undefined) return basicAuthorization(user, text, renew);
  const colon = text.indexOf(":");
  if (colon < 0) return basicAuthorization(tokenUser, text, renew);
  return basicAuthorization(text.slice(0, colon), text.slice(colon + 1), renew);
}
