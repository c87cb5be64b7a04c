import { stepsPerTurn } from "../../../golang/steps.ts";
import { nextTurn } from "../../../proxy/store/in-turns.ts";
import { GitFailure } from "../pack/git-failure.ts";
import type { GitLimits } from "../pack/git-limits.ts";
import { delimiterPacket, flushPacket, PacketReader, packetOf, packetText } from "../pack/pkt-line.ts";
import { type Advertisement, readAdvertisement, type ServerAbilities } from "./advertisement.ts";
import { packfileOf } from "./fetch-answer.ts";
import { type FetchRequest, fetchBody } from "./fetch-request.ts";
import type { GitTransport } from "./git-transport.ts";
import { RefCollector, type RefListing } from "./ref-listing.ts";

/** Milliseconds for which a server is taken to be able to do what it said. */
const abilitiesAge = 600_000;

export interface GitServerParts {
  readonly transport: GitTransport;
  readonly limits: GitLimits;
  /** modfront and its version, for the server's log. */
  readonly agent: string;
  /** Milliseconds on a clock that does not go back. */
  readonly now: () => number;
}

/** One repository's git server: its two commands, by version 2 of the protocol, or 0 where it knows no other. */
export class GitServer {
  readonly #parts: GitServerParts;
  #abilities: { readonly value: ServerAbilities; readonly at: number } | undefined;

  constructor(parts: GitServerParts) {
    this.#parts = parts;
  }

  /** What it can do; a round trip when that is not known. */
  async abilities(signal: AbortSignal): Promise<ServerAbilities> {
    const { now } = this.#parts;
    if (this.#abilities !== undefined && now() - this.#abilities.at < abilitiesAge) return this.#abilities.value;
    return (await this.#advertisement(signal)).abilities;
  }

  /** HEAD, branches, and tags that begin with `tagPrefix`, others perhaps. */
  async refs(tagPrefix: string, signal: AbortSignal): Promise<RefListing> {
    return this.#honest(async () => {
      const known = this.#abilities;
      const fresh = known !== undefined && known.value.protocol === 2 && this.#parts.now() - known.at < abilitiesAge;
      const { abilities, refs } = fresh
        ? { abilities: known.value, refs: undefined }
        : await this.#advertisement(signal);
      return refs ?? (await this.#lsRefs(abilities, tagPrefix, signal));
    });
  }

  /** The packfile of a fetch, as it arrives. Must be read to its end: only there is it known to be whole. */
  async *fetch(request: FetchRequest, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
    const { transport, limits, agent } = this.#parts;
    const abilities = await this.abilities(signal);
    const { protocol } = abilities;
    const call = { signal, limit: limits.packBytes + limits.progressBytes + (limits.packBytes >> 6) };
    const onlyTips = (request.onlyTips ?? false) || (request.shallow?.length ?? 0) > 0;
    try {
      const chunks = await transport.ask(fetchBody(request, abilities, agent), protocol, call);
      yield* packfileOf(chunks, { protocol, onlyTips, limits });
    } catch (error) {
      this.#abilities = undefined;
      throw asMissing(this.#parts.transport.withoutSecrets(error));
    }
  }

  async #advertisement(signal: AbortSignal): Promise<Advertisement> {
    const { transport, limits, now } = this.#parts;
    const chunks = await transport.advertisement({ signal, limit: limits.refBytes });
    const advertisement = await readAdvertisement(chunks, limits);
    this.#abilities = { value: advertisement.abilities, at: now() };
    return advertisement;
  }

  async #lsRefs(abilities: ServerAbilities, tagPrefix: string, signal: AbortSignal): Promise<RefListing> {
    const { transport, limits, agent } = this.#parts;
    const body = [
      ...[packetOf("command=ls-refs"), packetOf(`agent=${agent}`)],
      ...[packetOf(`object-format=${abilities.objectFormat}`), delimiterPacket],
      ...[packetOf("peel"), packetOf("symrefs"), ...(abilities.unborn ? [packetOf("unborn")] : [])],
      ...[packetOf("ref-prefix HEAD"), packetOf("ref-prefix refs/heads/")],
      // A prefix only saves bytes: one that is no part of a line of ASCII is left out.
      ...[packetOf(`ref-prefix refs/tags/${/^[!-~]*$/.test(tagPrefix) ? tagPrefix : ""}`), flushPacket],
    ].join("");
    const chunks = await transport.ask(body, 2, { signal, limit: limits.refBytes });
    return readRefs(chunks, new RefCollector(abilities.objectFormat, limits));
  }

  /** What failed may have to do with what was known of the server. */
  async #honest<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#abilities = undefined;
      throw this.#parts.transport.withoutSecrets(error);
    }
  }
}

async function readRefs(chunks: AsyncIterable<Uint8Array>, refs: RefCollector): Promise<RefListing> {
  const reader = new PacketReader();
  let ended = false;
  let lines = 0;
  for await (const chunk of chunks) {
    for (const packet of reader.read(chunk)) {
      // A socket hands over 2 MB in one turn if nobody holds it back.
      if (++lines % stepsPerTurn === 0) await nextTurn();
      if (ended) throw badList();
      if (packet.kind === "data") addLine(packetText(packet.data), refs);
      else if (packet.kind === "flush") ended = true;
      else throw badList();
    }
  }
  reader.end();
  if (!ended) throw badList();
  return refs.listing();
}

/** `ID NAME[ symref-target:NAME][ peeled:ID]`, where ID may be the word `unborn`. */
function addLine(line: string, refs: RefCollector): void {
  const [id = "", name, ...attributes] = line.split(" ", 8);
  if (name === undefined) throw badList();
  const value = (key: string) => attributes.find((each) => each.startsWith(key))?.slice(key.length);
  const symref = value("symref-target:");
  const peeled = value("peeled:");
  refs.add(name, id === "unborn" ? undefined : refs.id(id), {
    ...(symref !== undefined && { symref }),
    ...(peeled !== undefined && { peeled: refs.id(peeled) }),
  });
}

/** git says it in these words when it does not have, or does not hand out, what is wanted. */
function asMissing(error: unknown): unknown {
  if (!(error instanceof GitFailure) || error.code !== "refused" || !/not our ref/.test(error.message)) return error;
  return new GitFailure("missing-object", "does not have the object that was asked for", { cause: error });
}

function badList(): GitFailure {
  return new GitFailure("bad-answer", "sent a list of refs that is none, or not to its end");
}
