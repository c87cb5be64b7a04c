import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Config, parseConfig } from "../../lambda/config/config.ts";

// The configurations of docs/sso.md, which are what people copy, and so what tests judge by.

const page = readFileSync(join(import.meta.dirname, "../../docs/sso.md"), "utf8");

/** The code blocks of a language under each heading: `blocks("json").get("GitLab")`. */
export function blocks(language: string): ReadonlyMap<string, readonly string[]> {
  const sections = page.split(/^## /m).slice(1);
  return new Map(
    sections.map((section) => {
      const found = [...section.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))];
      return [section.split("\n", 1)[0] ?? "", found.map(([, text = ""]) => text)];
    }),
  );
}

/** The configuration under a heading. Throws where there is none, and as `parseConfig` does. */
export function recipe(heading: string): Config {
  const [text] = blocks("json").get(heading) ?? [];
  if (text === undefined) throw new Error(`docs/sso.md has no configuration for ${heading}`);
  return parseConfig(text);
}
