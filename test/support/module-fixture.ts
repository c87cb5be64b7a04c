import { createHash } from "node:crypto";
import { hash1, hashGoMod } from "../../lambda/golang/dirhash.ts";
import { escapePath, escapeVersion } from "../../lambda/golang/module.ts";
import type { FileKind } from "../../lambda/proxy/store/layout.ts";
import type { ChecksumDatabase } from "./checksum-database.ts";
import { type RawEntry, rawZip } from "./raw-zip.ts";

/** A whole module version as an upstream has it. */
export interface ModuleFixture {
  readonly path: string;
  readonly version: string;
  readonly info: Uint8Array;
  readonly mod: Uint8Array;
  readonly zip: Uint8Array;
}

/** Makes a small module version; `content` is what tells its zip from others. */
export function moduleFixture(path: string, version = "v1.0.0", content = "package m\n"): ModuleFixture {
  const mod = Buffer.from(`module ${path}\n`);
  const prefix = `${path}@${version}`;
  const zip = rawZip([
    { name: `${prefix}/go.mod`, content: mod },
    { name: `${prefix}/m.go`, content, method: 8 },
    // Does not compress, so that a zip has a middle.
    { name: `${prefix}/noise.bin`, content: noise(path, 4096), method: 8 },
  ]);
  const info = Buffer.from(JSON.stringify({ Version: version, Time: "2024-01-02T03:04:05Z" }));
  return { path, version, info, mod, zip };
}

/** Bytes that are the same for the same seed and do not compress. */
export function noise(seed: string, size: number): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(size / 32) }, (_, i) =>
    createHash("sha256").update(`${seed} ${i}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, size);
}

/** The path of a file in the protocol: `"/example.com/m/@v/v1.0.0.zip"`. */
export function filePath(module: Pick<ModuleFixture, "path" | "version">, kind: FileKind): string {
  return `${versionsPath(module)}/${escapeVersion(module.version)}.${kind}`;
}

/** `"/example.com/m/@v"`. */
export function versionsPath({ path }: Pick<ModuleFixture, "path">): string {
  return `/${escapePath(path)}/@v`;
}

/** The zip of `module` with other files in it than its own. */
export function zipOf(module: Pick<ModuleFixture, "path" | "version" | "mod">, entries: readonly RawEntry[]): Buffer {
  return rawZip([{ name: `${module.path}@${module.version}/go.mod`, content: module.mod }, ...entries]);
}

/** Puts the true record of a module version into a checksum database. */
export async function addFixture(database: ChecksumDatabase, module: ModuleFixture): Promise<void> {
  const prefix = `${module.path}@${module.version}`;
  const contents = new Map<string, Uint8Array>([
    [`${prefix}/go.mod`, module.mod],
    [`${prefix}/m.go`, Buffer.from("package m\n")],
    [`${prefix}/noise.bin`, noise(module.path, 4096)],
  ]);
  const hash = await hash1([...contents.keys()], (name) => contents.get(name) ?? new Uint8Array());
  await database.addRecord(module.path, module.version, hash, hashGoMod(module.mod));
}
