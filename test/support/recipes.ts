import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Config, parseConfig } from "../../lambda/config/config.ts";

// The configurations of docs/sso.md and docs/publishing.md, which are what people copy, and so what tests judge by.

type Page = "sso" | "publishing";

/** The code blocks of a language under each heading: `blocks("json").get("GitLab")`. */
export function blocks(language: string, page: Page = "sso"): ReadonlyMap<string, readonly string[]> {
  const text = readFileSync(join(import.meta.dirname, `../../docs/${page}.md`), "utf8");
  const sections = text.split(/^###? /m).slice(1);
  return new Map(
    sections.map((section) => {
      const found = [...section.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))];
      return [section.split("\n", 1)[0] ?? "", found.map(([, text = ""]) => text)];
    }),
  );
}

/** The configuration under a heading. Throws where there is none, and as `parseConfig` does. */
export function recipe(heading: string, page: Page = "sso"): Config {
  const [text] = blocks("json", page).get(heading) ?? [];
  if (text === undefined) throw new Error(`docs/${page}.md has no configuration for ${heading}`);
  return parseConfig(text);
}
