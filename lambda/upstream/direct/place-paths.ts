/**
 * The module paths by which a place may be known, to be held against patterns: `"corp.example/team/lib"` of
 * `https://corp.example/team/lib.git`, and of what is called `below` in there.
 *
 * However it is spelled, for it comes from a page: hosts decode what is escaped, and take two slashes for one. Of a place that
 * is no URL there is none; it is spoken to by what it is rewritten to.
 */
export function pathsOfPlace(place: string, below = ""): readonly string[] {
  const text = place.replace(/^[^/@]+@([^/:@]+):/, "https://$1/");
  if (!URL.canParse(text)) return [];
  const { hostname, pathname } = new URL(text);
  const path = decoded(pathname).replace(/\/(?:info\/refs|git-upload-pack)$/, "");
  const host = hostname.toLowerCase().replace(/\.$/, "");
  const elements = clean(`${path}/${below}`.split(/[/\\]/));
  const plain = elements.map((element) => element.replace(/(?<=.)\.git$/i, ""));
  return [...new Set([elements, plain].map((each) => [host, ...each].join("/")))];
}

/** As often as it can be: who is behind a proxy may decode what that has decoded. */
function decoded(path: string): string {
  let text = path;
  for (;;) {
    const next = text.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) =>
      Buffer.from(escapes.replaceAll("%", ""), "hex").toString(),
    );
    if (next === text) return text;
    text = next;
  }
}

function clean(elements: readonly string[]): readonly string[] {
  const kept: string[] = [];
  for (const element of elements) {
    if (element === "..") kept.pop();
    else if (element !== "" && element !== ".") kept.push(element);
  }
  return kept;
}
