import { GitFailure } from "./git-failure.ts";
import { isObjectId, type ObjectFormat, type ObjectId } from "./object-id.ts";

export interface Commit {
  readonly id: ObjectId;
  readonly tree: ObjectId;
  readonly parents: readonly ObjectId[];
  /** The committer's time, seconds since 1970 UTC. */
  readonly time: number;
}

/** Parents beyond which a commit is nobody's. */
const mostParents = 10_000;

/** Reads the header of a commit object. Throws `GitFailure` "bad-answer". */
export function parseCommit(id: ObjectId, data: Uint8Array, format: ObjectFormat): Commit {
  const lines = headerLines(data);
  const readId = (name: string) => {
    const line = lines.next().value ?? "";
    const value = line.slice(name.length + 1);
    if (!line.startsWith(`${name} `) || !isObjectId(value, format)) throw badCommit();
    return value;
  };
  const tree = readId("tree");
  const parents: ObjectId[] = [];
  for (const line of lines) {
    if (line.startsWith("parent ")) {
      const parent = line.slice(7);
      if (!isObjectId(parent, format) || parents.length === mostParents) throw badCommit();
      parents.push(parent);
    } else if (line.startsWith("committer ")) {
      return { id, tree, parents, time: readTime(line) };
    } else if (!line.startsWith("author ")) throw badCommit();
  }
  throw badCommit();
}

/** The lines before the first empty one, bytes as characters: names are not ours to judge. */
function* headerLines(data: Uint8Array): Generator<string, void> {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(10, at);
    if (end < 0 || end === at) return;
    yield bytes.toString("latin1", at, end);
    at = end + 1;
  }
}

/** The seconds of `committer NAME <ADDRESS> SECONDS ZONE`, where the name may hold anything but a newline. */
function readTime(line: string): number {
  const [, seconds = ""] = /^ (\d{1,12})(?: [+-]\d{1,6})?$/.exec(line.slice(line.lastIndexOf(">") + 1)) ?? [];
  // git shows what it cannot read as the beginning of 1970.
  return seconds === "" ? 0 : Number(seconds);
}

function badCommit(): GitFailure {
  return new GitFailure("bad-answer", "sent a commit that is malformed");
}
