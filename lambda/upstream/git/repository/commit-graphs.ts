import { LRUCache } from "lru-cache";
import { isCodedError } from "../../../golang/coded-error.ts";
import { eachInTurns } from "../../../proxy/store/in-turns.ts";
import { type CommitGraph, commitRow, emptyGraph, graphBytes, graphTips } from "../pack/commit-graph.ts";
import type { GitLimits } from "../pack/git-limits.ts";
import type { ObjectId } from "../pack/object-id.ts";
import type { GitServer } from "./git-server.ts";
import type { PackReceiver } from "./pack-receiver.ts";
import type { RefListing } from "./ref-listing.ts";

/** The commits of one repository that were fetched so far, and what was wanted with them and is no commit. */
interface KnownGraph {
  readonly graph: CommitGraph;
  readonly others: ReadonlySet<ObjectId>;
}

/** The histories of all repositories by their keys, as long as there is room for them. */
export class KeptGraphs {
  readonly #graphs: LRUCache<string, KnownGraph>;

  constructor({ historyBytes }: Pick<GitLimits, "historyBytes">) {
    const sizeCalculation = ({ graph, others }: KnownGraph) => graphBytes(graph) + 100 * others.size + 1;
    this.#graphs = new LRUCache({ maxSize: historyBytes, sizeCalculation });
  }

  get(key: string): KnownGraph | undefined {
    return this.#graphs.get(key);
  }

  set(key: string, graph: KnownGraph): void {
    this.#graphs.set(key, graph);
  }
}

/** Tips of what is known that are named to a server: more do not make an answer smaller. */
const mostHaves = 256;

/** A graph that has all tips of a listing. Fetches those that are not known, and of their ancestors what is not known. */
export async function graphOf(
  refs: RefListing,
  options: {
    readonly key: string;
    readonly graphs: KeptGraphs;
    readonly server: GitServer;
    readonly receiver: PackReceiver;
    readonly signal: AbortSignal;
  },
): Promise<CommitGraph> {
  const { key, graphs, server, receiver, signal } = options;
  const known = graphs.get(key) ?? { graph: emptyGraph(refs.objectFormat), others: new Set<ObjectId>() };
  const older = known.graph.format === refs.objectFormat ? known.graph : emptyGraph(refs.objectFormat);
  const tips = await tipsOf(refs);
  const wants: ObjectId[] = [];
  await eachInTurns(tips, (id) => {
    if (!known.others.has(id) && commitRow(older, id) < 0) wants.push(id);
  });
  if (wants.length === 0) return older;
  const filter = (await server.abilities(signal)).filter ? ("tree:0" as const) : undefined;
  const haves = graphTips(older, mostHaves);
  const more = await receiver.graph({ wants, haves, filter }, older, signal).catch((error) => {
    if (haves.length === 0 || !isCodedError(error, "missing-object", "bad-answer", "refused")) throw error;
    // What was known may have come from branches that were rewritten and whose commits the server has no more.
    return receiver.graph({ wants: tips, filter }, emptyGraph(refs.objectFormat), signal);
  });
  // Of a server that cannot filter they are everything else in the packfile.
  const wanted = new Set(wants);
  const others = new Set([...known.others, ...more.others.filter((id) => wanted.has(id))]);
  graphs.set(key, { graph: more.graph, others });
  return more.graph;
}

/** What HEAD, branches and tags are at, each once. */
export async function tipsOf({ head, heads, tags }: RefListing): Promise<ObjectId[]> {
  const ids = new Set(head.id === undefined ? [] : [head.id]);
  await eachInTurns(heads.values(), (id) => ids.add(id));
  await eachInTurns(tags.values(), ({ target }) => ids.add(target));
  return [...ids];
}
