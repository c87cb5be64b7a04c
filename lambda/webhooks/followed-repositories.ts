import type { Webhooks } from "./config.ts";

/** The modules of each repository that a webhook tells of, each once. */
export function followedRepositories(webhooks: Webhooks): readonly (readonly string[])[] {
  const all = Object.values(webhooks).flatMap(({ repositories }) => Object.values(repositories));
  return [...new Map(all.map((paths) => [paths.join(" "), paths])).values()];
}
