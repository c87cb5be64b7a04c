import { GitFailure } from "./git-failure.ts";
import { idBytes, type ObjectFormat, type ObjectId } from "./object-id.ts";

/** What a path of a tree is: `submodule` is a commit of another repository (a gitlink), of which there is no object here. */
export type TreeFileKind = "file" | "executable" | "symlink" | "submodule";

/** One line of a tree object: a file, or another tree. */
export interface TreeEntry {
  readonly name: string;
  readonly kind: TreeFileKind | "folder";
  readonly id: ObjectId;
}

/** By the type bits of a mode (`100644` octal has 8); of plain files those of permission are read as git does. */
const kinds: Readonly<Record<number, TreeFileKind | "folder">> = {
  4: "folder",
  8: "file",
  10: "symlink",
  14: "submodule",
};

/**
 * The entries of a tree object in its order. Throws `GitFailure` "bad-answer" for one that is malformed, has two of one
 * name, or a name that means another place (`.`, `..`, `.git`, or with a slash).
 */
export function* parseTree(data: Buffer, format: ObjectFormat): Generator<TreeEntry, void> {
  const idLength = idBytes[format];
  const names = new Set<string>();
  for (let at = 0; at < data.length; ) {
    const nul = data.indexOf(0, at);
    const space = data.indexOf(0x20, at);
    const next = nul + 1 + idLength;
    if (nul < 0 || space < 0 || space > nul || next > data.length) throw badTree();
    const raw = data.toString("latin1", space + 1, nul);
    if (names.has(raw)) throw badTree();
    names.add(raw);
    const name = data.toString("utf8", space + 1, nul);
    checkName(name);
    yield { name, kind: kindOf(data.toString("latin1", at, space)), id: data.toString("hex", nul + 1, next) };
    at = next;
  }
}

function kindOf(mode: string): TreeFileKind | "folder" {
  if (!/^[0-7]{5,6}$/.test(mode)) throw badTree();
  const bits = Number.parseInt(mode, 8);
  const kind = kinds[bits >> 12];
  if (kind === undefined) throw badTree();
  return kind === "file" && (bits & 0o100) !== 0 ? "executable" : kind;
}

function checkName(name: string): void {
  if (name === "" || name === "." || name === ".." || name.includes("/") || name.toLowerCase() === ".git") {
    throw badTree();
  }
}

function badTree(): GitFailure {
  return new GitFailure("bad-answer", "has a tree that is malformed or holds a name that is not safe");
}
