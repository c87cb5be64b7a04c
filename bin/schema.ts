import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { configJsonSchema } from "../lambda/config/config.ts";

// npm run schema: writes the JSON Schema of the configuration file, by which editors check and complete it.

/** Where the schema is kept. */
export const schemaFile = fileURLToPath(new URL("../modfront.config.schema.json", import.meta.url));

/** The text of the schema as it is kept. */
export function schemaText(): string {
  return `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(schemaFile, schemaText());
