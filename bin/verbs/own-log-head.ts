import { CodedError } from "../../lambda/golang/coded-error.ts";
import { newVerifier, open } from "../../lambda/golang/note.ts";
import { parseTree, type Tree } from "../../lambda/golang/tlog.ts";
import type { ServedModfront } from "./served-modfront.ts";

/**
 * Returns the tree of the head that a modfront shows of its own log, signed with the key of `line`, `"name+hash+key"`.
 *
 * Throws `CodedError` "answer" where it shows none or another's, and what newVerifier throws for a key that is none.
 */
export async function lookAtHead(server: ServedModfront, line: string): Promise<Tree> {
  const verifier = newVerifier(line);
  const read = await server.read(`/sumdb/${verifier.name}/latest`);
  if (read.kind !== "read") throw new CodedError("answer", `the head of the log is ${read.kind}`);
  try {
    return parseTree(open(read.bytes, [verifier]).text);
  } catch (cause) {
    throw new CodedError("answer", "SECURITY ERROR: the head of the log is not signed with its key", { cause });
  }
}
