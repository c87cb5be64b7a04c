import type { FileKind, ModuleVersion } from "./layout.ts";
import type { MemoryName } from "./version-index.ts";

/** Under this name it is remembered that a file of a public version does not exist. */
export function missingFile(kind: FileKind, { version }: Pick<ModuleVersion, "version">): MemoryName {
  return `missing ${version}.${kind}`;
}

/** And a private version. It is beside the names for lists, queries and public files, which do not begin with a version alone. */
export function missingUnit({ version }: Pick<ModuleVersion, "version">): MemoryName {
  return `missing ${version}`;
}

/** And what a query means. Apart from the names for files: `/@v/v1.0.0.zip.info` asks for a query that is called like the zip of v1.0.0. */
export function missingQuery(query: string): MemoryName {
  return `missing query ${query}`;
}

/** All names under which it can be remembered that a version does not exist. */
export function missingNames(version: string): readonly MemoryName[] {
  const files = (["info", "mod", "zip"] as const).map((kind) => missingFile(kind, { version }));
  return [...files, missingUnit({ version }), missingQuery(version)];
}
