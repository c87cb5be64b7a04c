// Issuers that sign for everybody: a rule that does not say whose is a rule for strangers.

interface PublicIssuer {
  /** The claims that say whose job, or who, it is. */
  readonly owners: readonly string[];
  /** Claims that must not be matched, and why. */
  readonly never?: Readonly<Record<string, string>>;
}

const publicIssuers: Readonly<Record<string, PublicIssuer>> = {
  "https://token.actions.githubusercontent.com": {
    owners: [
      ...["repository", "repository_id", "repository_owner", "repository_owner_id"],
      ...["job_workflow_ref", "enterprise", "enterprise_id"],
    ],
    // It is put together of parts that each organisation can choose, and has changed its form.
    never: { sub: "GitHub's sub has no one form: match repository_owner_id, repository_id, ref, environment" },
  },
  "https://gitlab.com": {
    owners: [
      ...["namespace_id", "namespace_path", "project_id", "project_path"],
      ...["user_id", "user_login", "user_email", "sub", "email", "groups_direct", "groups"],
    ],
  },
  // Whoever has an address may have an account with it, of nobody's organisation, and keep that when the address is taken away.
  "https://accounts.google.com": { owners: ["hd", "sub"] },
};

/** Says what is wrong with what a rule of an issuer matches, or `undefined`. */
export function faultOfMatch(issuer: string, match: Readonly<Record<string, readonly string[]>>): string | undefined {
  const known = Object.hasOwn(publicIssuers, issuer) ? publicIssuers[issuer] : undefined;
  if (known === undefined) return undefined;
  const never = Object.entries(known.never ?? {}).find(([claim]) => Object.hasOwn(match, claim));
  if (never !== undefined) return never[1];
  const says = known.owners.some((claim) => match[claim]?.every((glob) => !glob.startsWith("*")));
  // An address at one's own domain is as good, wherever its star is.
  const atDomain = match.email?.every((glob) => /^\*@[^*]+$/.test(glob)) ?? false;
  if (says || (known.owners.includes("email") && atDomain)) return undefined;
  return `this issuer signs for everybody: match one of ${known.owners.join(", ")}, not beginning with a star`;
}
