/**
 * The chains with the credentials of their hosts: `https://a.example,off` becomes `https://user:password@a.example,off`.
 *
 * `credentials` maps a host, with its port where it has one, to `user:password`. An entry that has its own keeps it.
 */
export function withCredentials<Rule extends { readonly chain: string }>(
  rules: readonly Rule[],
  credentials: Readonly<Record<string, string>>,
): readonly Rule[] {
  const complete = (entry: string, scheme: string, host: string): string => {
    const secret = credentials[host];
    if (secret === undefined) return entry;
    const colon = secret.indexOf(":");
    const user = encodeURIComponent(secret.slice(0, Math.max(colon, 0)));
    return `${scheme}://${user}:${encodeURIComponent(secret.slice(colon + 1))}@${host}`;
  };
  return rules.map((rule) => ({
    ...rule,
    chain: rule.chain.replace(/(https?):\/\/([^/,|@\s]+)(?=[/,|\s]|$)/g, complete),
  }));
}

/** The forward proxy with its credentials, which the settings of a function must not hold. */
export function withProxyCredentials<Proxy extends { readonly url: string }>(
  proxy: Proxy | undefined,
  credentials: Readonly<Record<string, string>>,
): Proxy | undefined {
  const [complete] = withCredentials(proxy === undefined ? [] : [{ chain: proxy.url.replace(/\/$/, "") }], credentials);
  return proxy && { ...proxy, url: complete?.chain ?? proxy.url };
}

/** The credentials out of their secret's text; none when it is empty. Throws when it is not a JSON object. */
export function parseCredentials(text: string): Readonly<Record<string, string>> {
  return text.trim() === "" ? {} : (JSON.parse(text) as Record<string, string>);
}
