// Port of the collision checker of golang.org/x/mod/zip. Names are kept as trees, because a map from each parent path, as
// in Go, takes quadratic time for a name of ten thousand directories.

import { CodedError } from "./coded-error.ts";

/** What is wrong with a name beside the names before it. */
export interface Collision {
  readonly code: "name-collision" | "file-and-directory" | "duplicate-file";
  readonly message: string;
}

/** Thrown when there are more distinct files and directories than we hold in memory; Go has no such limit. */
export class TooManyNamesError extends CodedError<"zip-too-many-files"> {}

const maxNames = 1 << 19;

/** A path as it is spelled. Two paths are the same when they are the same node. */
interface Spelled {
  readonly name: string;
  readonly parent: Spelled | undefined;
  readonly folded: Folded;
  children: Map<string, Spelled> | undefined;
}

/** All spellings of a path that are equal under case folding, and which of them came first. */
interface Folded {
  children: Map<string, Folded> | undefined;
  first: Spelled | undefined;
  isDirectory: boolean;
}

/** Finds names that some file system cannot hold beside each other: equal but for case, or both file and directory. */
export class NameCollisions {
  readonly #root: Spelled = { name: "", parent: undefined, folded: newFolded(), children: undefined };
  #count = 0;
  #directory = "";
  #directoryNode = this.#root;

  /** Adds a clean relative path; returns what it collides with, if it does. Its parents are added as directories. */
  check(path: string, isDirectory: boolean): Collision | undefined {
    let asDirectory = isDirectory;
    for (let node = this.#node(path); node.parent !== undefined; node = node.parent) {
      const { folded } = node;
      if (folded.first === undefined) {
        folded.first = node;
        folded.isDirectory = asDirectory;
      } else {
        const wrong = clash(folded, folded.first, node, asDirectory);
        if (wrong !== undefined) return wrong;
      }
      asDirectory = true;
    }
    return undefined;
  }

  #node(path: string): Spelled {
    const slash = path.lastIndexOf("/");
    if (slash < 0) return this.#child(this.#root, path);
    const directory = path.slice(0, slash);
    if (directory !== this.#directory) {
      this.#directoryNode = directory.split("/").reduce((node, name) => this.#child(node, name), this.#root);
      this.#directory = directory;
    }
    return this.#child(this.#directoryNode, path.slice(slash + 1));
  }

  #child(parent: Spelled, name: string): Spelled {
    parent.children ??= new Map();
    let child = parent.children.get(name);
    if (child === undefined) {
      if (++this.#count > maxNames) {
        throw new TooManyNamesError("zip-too-many-files", `more files and directories than we hold (${maxNames})`);
      }
      child = { name, parent, folded: foldedChild(parent.folded, strToFold(name)), children: undefined };
      parent.children.set(name, child);
    }
    return child;
  }
}

function newFolded(): Folded {
  return { children: undefined, first: undefined, isDirectory: false };
}

function foldedChild(parent: Folded, name: string): Folded {
  parent.children ??= new Map();
  let child = parent.children.get(name);
  if (child === undefined) {
    child = newFolded();
    parent.children.set(name, child);
  }
  return child;
}

function clash(folded: Folded, first: Spelled, node: Spelled, isDirectory: boolean): Collision | undefined {
  if (first !== node) {
    const message = `equal but for case: ${quotePath(first)} and ${quotePath(node)}`;
    return { code: "name-collision", message };
  }
  if (folded.isDirectory !== isDirectory) {
    return { code: "file-and-directory", message: `${quotePath(node)} is both a file and a directory` };
  }
  return isDirectory ? undefined : { code: "duplicate-file", message: `more than one entry for ${quotePath(node)}` };
}

/** The last 200 characters of the path at most. */
function quotePath(node: Spelled): string {
  let path = node.name;
  for (let up = node.parent; up?.parent !== undefined && path.length <= 200; up = up.parent)
    path = `${up.name}/${path}`;
  return JSON.stringify(path.length > 200 ? `…${path.slice(-200)}` : path);
}

/**
 * Returns a string that is the same for all strings equal under simple Unicode case folding: `"ſ"`, `"S"` and `"s"` are
 * `"s"`. Port of strToFold, with the same classes as Go's `unicode.SimpleFold` for all letters it knows.
 */
export function strToFold(text: string): string {
  if (/^[\x00-\x7f]*$/.test(text)) return text.toLowerCase();
  return Array.from(text, foldCharacter).join("");
}

function foldCharacter(character: string): string {
  // Its upper case is I, but only in Turkish: no simple folding.
  if (character === "ı") return character;
  const upper = sameLength(character.toUpperCase(), character);
  return sameLength(upper.toLowerCase(), upper);
}

/** Full case mapping makes two characters of one (ß becomes SS), simple folding leaves such a character alone. */
function sameLength(mapped: string, character: string): string {
  const first = mapped.codePointAt(0) ?? 0;
  return mapped.length === String.fromCodePoint(first).length ? mapped : character;
}
