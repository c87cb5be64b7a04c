import { GitFailure, refusedBy } from "../pack/git-failure.ts";
import type { GitLimits } from "../pack/git-limits.ts";
import { type Packet, PacketReader, packetText } from "../pack/pkt-line.ts";

/** The packfile out of the answer to a fetch, of either protocol. Throws `GitFailure`; nothing of it is verified yet. */
export async function* packfileOf(
  chunks: AsyncIterable<Uint8Array>,
  options: { readonly protocol: 0 | 2; readonly onlyTips: boolean; readonly limits: GitLimits },
): AsyncGenerator<Uint8Array, void> {
  const answer = new FetchAnswer(options);
  const reader = new PacketReader();
  for await (const chunk of chunks) {
    for (const packet of reader.read(chunk)) {
      const data = answer.take(packet);
      if (data !== undefined && data.length > 0) yield data;
    }
  }
  reader.end();
  answer.end();
}

/** Lines before the packfile: one for each commit that is sent without those before it, and a few besides. */
const mostLines = 100_000;

class FetchAnswer {
  readonly #limits: GitLimits;
  readonly #protocol: 0 | 2;
  /** "header" what a section is called, or its lines; "shallow" lines of version 0 that a flush ends; "pack" the bands. */
  #state: "header" | "lines" | "shallow" | "ready" | "pack" | "end";
  #lines = 0;
  #bytes = 0;
  #progress = 0;

  constructor({ protocol, onlyTips, limits }: { protocol: 0 | 2; onlyTips: boolean; limits: GitLimits }) {
    this.#limits = limits;
    this.#protocol = protocol;
    this.#state = protocol === 2 ? "header" : onlyTips ? "shallow" : "ready";
  }

  /** A part of the packfile, when the packet is one. */
  take(packet: Packet): Buffer | undefined {
    if (this.#state === "end") throw unexpected();
    if (this.#state === "pack") {
      if (packet.kind === "data") return this.#band(packet.data);
      if (packet.kind !== "flush") throw unexpected();
      this.#state = "end";
      return undefined;
    }
    if (++this.#lines > mostLines) throw new GitFailure("too-large", "sent too many lines before its packfile");
    return this.#protocol === 2 ? this.#section(packet) : this.#before(packet);
  }

  end(): void {
    if (this.#state !== "end") throw new GitFailure("bad-answer", "sent no packfile, or not to its end");
  }

  #section(packet: Packet): undefined {
    if (packet.kind === "delimiter" && this.#state === "lines") this.#state = "header";
    else if (packet.kind !== "data") throw unexpected();
    else {
      const text = packetText(packet.data);
      if (this.#state === "header") this.#state = text === "packfile" ? "pack" : "lines";
    }
  }

  #before(packet: Packet): Buffer | undefined {
    if (packet.kind === "flush" && this.#state === "shallow") {
      this.#state = "ready";
      return undefined;
    }
    if (packet.kind !== "data") throw unexpected();
    if (this.#state === "ready" && (packet.data[0] ?? 0xff) <= 3) {
      this.#state = "pack";
      return this.#band(packet.data);
    }
    const text = packetText(packet.data);
    const expected = this.#state === "shallow" ? /^(un)?shallow / : /^(NAK$|ACK )/;
    if (!expected.test(text)) throw unexpected();
    return undefined;
  }

  #band(data: Buffer): Buffer | undefined {
    const rest = data.subarray(1);
    if (data[0] === 1) {
      this.#bytes += rest.length;
      if (this.#bytes > this.#limits.packBytes)
        throw new GitFailure("too-large", "sent a packfile with too many bytes");
      return rest;
    }
    if (data[0] === 3) throw refusedBy(rest.toString("utf8"));
    if (data[0] !== 2) {
      packetText(data);
      throw unexpected();
    }
    // Progress: nobody reads it.
    this.#progress += data.length;
    if (this.#progress > this.#limits.progressBytes)
      throw new GitFailure("too-large", "sent too much beside its packfile");
    return undefined;
  }
}

function unexpected(): GitFailure {
  return new GitFailure("bad-answer", "answered a fetch with something that is not git's protocol");
}
