/** The forward proxy with its credentials, which the settings of a function must not hold. */
export function withProxyCredentials<Proxy extends { readonly url: string }>(
  proxy: Proxy | undefined,
  credentials: Readonly<Record<string, string>>,
): Proxy | undefined {
  const url = proxy === undefined ? undefined : new URL(proxy.url);
  const pair = url && credentials[url.host];
  if (proxy === undefined || url === undefined || pair === undefined || url.username + url.password !== "")
    return proxy;
  const colon = pair.indexOf(":");
  url.username = encodeURIComponent(pair.slice(0, Math.max(colon, 0)));
  url.password = encodeURIComponent(pair.slice(colon + 1));
  return { ...proxy, url: url.href.replace(/\/$/, "") };
}

/** The credentials out of their secret's text; none when it is empty. Throws when it is not a JSON object. */
export function parseCredentials(text: string): Readonly<Record<string, string>> {
  return text.trim() === "" ? {} : (JSON.parse(text) as Record<string, string>);
}
