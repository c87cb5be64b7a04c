import { stepsPerTurn } from "../../../golang/steps.ts";
import { nextTurn } from "../../../proxy/store/in-turns.ts";
import { GitFailure } from "../pack/git-failure.ts";
import type { GitLimits } from "../pack/git-limits.ts";
import type { ObjectFormat } from "../pack/object-id.ts";
import { PacketReader, packetText } from "../pack/pkt-line.ts";
import { RefCollector, type RefListing } from "./ref-listing.ts";

/** What a server is and can do. */
export interface ServerAbilities {
  readonly protocol: 0 | 2;
  readonly objectFormat: ObjectFormat;
  /** It can leave trees and files out of what it sends. */
  readonly filter: boolean;
  /** It can send a commit without those before. */
  readonly shallow: boolean;
  /** It says where HEAD leads in a repository without commits. */
  readonly unborn: boolean;
}

export interface Advertisement {
  readonly abilities: ServerAbilities;
  /** With protocol 0 the refs come at once, all of them. */
  readonly refs: RefListing | undefined;
}

/** Capabilities that a server may name, and characters of them all. */
const mostCapabilities = 1_000;
const mostCapabilityText = 65_536;

/** Reads what a server says first, of version 2 or, where it knows no other, of version 0 or 1. Throws `GitFailure`. */
export async function readAdvertisement(chunks: AsyncIterable<Uint8Array>, limits: GitLimits): Promise<Advertisement> {
  const parser = new AdvertisementParser(limits);
  const reader = new PacketReader();
  let lines = 0;
  for await (const chunk of chunks) {
    for (const packet of reader.read(chunk)) {
      // As in a listing of version 2: there may be as many refs.
      if (++lines % stepsPerTurn === 0) await nextTurn();
      if (packet.kind === "data") parser.line(packetText(packet.data));
      else if (packet.kind === "flush") parser.flush();
      else throw unexpected();
    }
  }
  reader.end();
  return parser.end();
}

class AdvertisementParser {
  readonly #limits: GitLimits;
  readonly #capabilities = new Map<string, string>();
  #state: "start" | "service" | "first" | "version-2" | "refs" | "end" = "start";
  #refs: RefCollector | undefined;
  #text = 0;

  constructor(limits: GitLimits) {
    this.#limits = limits;
  }

  line(text: string): void {
    if (this.#state === "start" && /^# service=git-upload-pack$/.test(text)) this.#state = "service";
    else if (this.#state === "version-2") this.#addCapability(text);
    else if (this.#state === "start" || this.#state === "first") this.#begin(text);
    else if (this.#state === "refs") this.#addRef(text);
    else throw unexpected();
  }

  flush(): void {
    if (this.#state === "service") this.#state = "first";
    else if (this.#state === "version-2" || this.#state === "refs") this.#state = "end";
    else if (this.#state === "first") {
      // Of old servers: nothing at all of an empty repository.
      this.#refs = new RefCollector("sha1", this.#limits);
      this.#state = "end";
    } else throw unexpected();
  }

  end(): Advertisement {
    if (this.#state !== "end") throw new GitFailure("bad-answer", "broke off its list of refs");
    const format = objectFormatOf(this.#capabilities.get("object-format"));
    const fetch = (this.#capabilities.get("fetch") ?? "").split(" ");
    if (this.#refs === undefined) {
      const unborn = (this.#capabilities.get("ls-refs") ?? "").split(" ").includes("unborn");
      const abilities = { filter: fetch.includes("filter"), shallow: fetch.includes("shallow"), unborn };
      return { abilities: { protocol: 2, objectFormat: format, ...abilities }, refs: undefined };
    }
    const abilities = { filter: false, shallow: this.#capabilities.has("shallow"), unborn: false };
    return { abilities: { protocol: 0, objectFormat: format, ...abilities }, refs: this.#refs.listing() };
  }

  #begin(text: string): void {
    if (text === "version 2") this.#state = "version-2";
    // Version 1 is version 0 with this line before.
    else if (text === "version 1") this.#state = "first";
    else {
      this.#state = "refs";
      this.#beginRefs(text);
    }
  }

  /** The first ref has the capabilities behind it. */
  #beginRefs(text: string): void {
    const nul = text.indexOf("\0");
    for (const capability of nul < 0 ? [] : text.slice(nul + 1).split(" ")) this.#addCapability(capability);
    this.#refs = new RefCollector(objectFormatOf(this.#capabilities.get("object-format")), this.#limits);
    const line = nul < 0 ? text : text.slice(0, nul);
    if (!/^0+ capabilities\^\{\}$/.test(line)) this.#addRef(line);
    this.#refs.pointHead(this.#capabilities.get("symref HEAD"));
  }

  #addRef(text: string): void {
    const refs = this.#refs;
    const space = text.indexOf(" ");
    if (refs === undefined || space < 0) throw unexpected();
    if (text.startsWith("shallow ")) return;
    const name = text.slice(space + 1);
    const id = refs.id(text.slice(0, space));
    if (name.endsWith("^{}")) refs.peel(name.slice(0, -3), id);
    else refs.add(name, id);
  }

  #addCapability(text: string): void {
    this.#text += text.length;
    if (this.#capabilities.size === mostCapabilities || this.#text > mostCapabilityText) {
      throw new GitFailure("too-large", "names too many capabilities");
    }
    const [, name = "", value = ""] = /^([^=]*)=?(.*)$/s.exec(text) ?? [];
    if (name === "symref" && value.startsWith("HEAD:")) this.#capabilities.set("symref HEAD", value.slice(5));
    else this.#capabilities.set(name, value);
  }
}

function objectFormatOf(name = "sha1"): ObjectFormat {
  if (name === "sha1" || name === "sha256") return name;
  throw new GitFailure("unsupported", "has objects with a hash that is not known here");
}

function unexpected(): GitFailure {
  return new GitFailure("bad-answer", "began with something that is not git's protocol");
}
