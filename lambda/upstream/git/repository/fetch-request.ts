import type { ObjectId } from "../pack/object-id.ts";
import { delimiterPacket, flushPacket, packetOf } from "../pack/pkt-line.ts";
import type { ServerAbilities } from "./advertisement.ts";

/** Which objects are to come: what `wants` need, without what `haves` need. */
export interface FetchRequest {
  readonly wants: readonly ObjectId[];
  readonly haves?: readonly ObjectId[] | undefined;
  /** Commits among `haves` that are here without those before them. */
  readonly shallow?: readonly ObjectId[] | undefined;
  /** Commits without those before them. */
  readonly onlyTips?: boolean | undefined;
  /** Deltas may be made of what `haves` need. Without, git leaves out commits, but sends all of their files again. */
  readonly thin?: boolean | undefined;
  /** To leave out all files, or all files and trees, but those that are wanted by their own ids. */
  readonly filter?: "blob:none" | "tree:0" | undefined;
}

/** The body of a fetch (gitprotocol-v2; gitprotocol-pack for version 0), all said at once. */
export function fetchBody(request: FetchRequest, abilities: ServerAbilities, agent: string): string {
  const { wants, haves = [], shallow = [], onlyTips = false, thin = false, filter } = request;
  const format = `object-format=${abilities.objectFormat}`;
  const depth = [...lines("shallow", shallow), ...(onlyTips ? [packetOf("deepen 1")] : [])];
  if (abilities.protocol === 2) {
    return [
      ...[packetOf("command=fetch"), packetOf(`agent=${agent}`), packetOf(format), delimiterPacket],
      ...[packetOf("no-progress"), packetOf("ofs-delta"), ...(thin ? [packetOf("thin-pack")] : [])],
      ...depth,
      ...(filter === undefined ? [] : [packetOf(`filter ${filter}`)]),
      ...[...lines("want", wants), ...lines("have", haves)],
      ...[packetOf("done"), flushPacket],
    ].join("");
  }
  const [first = "", ...rest] = wants;
  const able = `side-band-64k ofs-delta no-progress${abilities.shallow ? " shallow" : ""}${thin ? " thin-pack" : ""}`;
  const capabilities = `${able} agent=${agent}`;
  const sha256 = abilities.objectFormat === "sha1" ? "" : ` ${format}`;
  return [
    packetOf(`want ${first} ${capabilities}${sha256}`),
    ...[...lines("want", rest), ...depth, flushPacket],
    ...[...lines("have", haves), packetOf("done")],
  ].join("");
}

function lines(word: string, ids: readonly ObjectId[]): string[] {
  return ids.map((id) => packetOf(`${word} ${id}`));
}
