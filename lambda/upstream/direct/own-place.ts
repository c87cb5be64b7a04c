/**
 * True for a URL at which a module is by its own path: `https://git.example/team/lib.git` of `git.example/team/lib/v2`.
 *
 * A page may name any other. To that modfront shows credentials for private modules only: whoever asks for a public one could
 * else have them open what he may not read, by a page of his own.
 */
export function isOwnPlace(url: string, module: string): boolean {
  if (!URL.canParse(url)) return false;
  const { host, pathname } = new URL(url);
  const place = (host + pathname).replace(/\/+$/, "").replace(/\.git$/, "");
  return (
    module === place || ["/", ".git/"].some((next) => module.startsWith(place + next)) || module === `${place}.git`
  );
}
