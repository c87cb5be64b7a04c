import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { ReadyResponse } from "./ready-responses.ts";

/** What a lane needs of the server it lies before. */
export interface HitLaneParts {
  /** The ready answer to a GET of a request target, where everybody may have it who names this host. */
  readonly find: (target: string, host: string) => ReadyResponse | undefined;
  /** Told of each answer. */
  readonly answered: (target: string, socket: Socket) => void;
  readonly now: () => number;
  /** Milliseconds: until the first request of a connection, and between two. */
  readonly patience: { readonly first: number; readonly next: number };
}

/** What is handed back for the end. */
export interface HitLane {
  /** Closes the connections that are still in the lane, each when its last answer is out. */
  close(): void;
}

/** Bytes: a request that is longer is none of a plain client. */
const longestRequest = 2048;

/** The headers of plain clients (go, curl, wrk): none of them changes what a ready answer is. */
const plainHeaders =
  /^host: ?[\x21-\x7e]+\r\n(?:(?:user-agent|accept|accept-encoding): ?[\x20-\x7e]*\r\n|connection: ?keep-alive\r\n)*\r\n$/i;

/**
 * Answers requests straight on the socket as long as they are plain GETs of ready answers, one at a time.
 *
 * A connection leaves the lane for good, and without a byte lost, with the first request that is anything else: node:http
 * then sees it from that request on. So nothing is parsed here but what is known to be whole and harmless, and
 * everything else (parts of requests, many at once, conditions, credentials, bodies) is as it is without the lane. The
 * parsing of node:http is two thirds of what a hit costs there.
 */
export function openHitLane(server: Server, parts: HitLaneParts): HitLane {
  const lane = new Set<Socket>();
  const rest = connectionHeaders(parts);
  const onward = server.listeners("connection") as ((this: Server, socket: Socket) => void)[];
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    lane.add(socket);
    const leave = () => lane.delete(socket);
    ride(socket, { ...parts, rest, leave }, (chunk) => {
      leave();
      handOver(socket, chunk, () => {
        for (const listener of onward) listener.call(server, socket);
      });
    });
  });
  return {
    close: () => {
      for (const socket of lane) socket.destroySoon();
    },
  };
}

interface Ride extends HitLaneParts {
  /** The headers behind those of a ready answer, and the empty line. */
  readonly rest: () => string;
  /** The client is gone. */
  readonly leave: () => void;
}

/** Serves one connection until a request is not a plain hit: that goes to `exit`. */
function ride(socket: Socket, { find, answered, patience, rest, leave }: Ride, exit: (chunk: Buffer) => void): void {
  const on = {
    data: (chunk: Buffer) => {
      const plain = readPlain(chunk);
      const ready = plain && find(plain.target, plain.host);
      if (plain === undefined || ready === undefined) {
        for (const [event, listener] of Object.entries(on)) socket.off(event, listener);
        socket.setTimeout(0);
        return exit(chunk);
      }
      if (socket.timeout !== patience.next) socket.setTimeout(patience.next);
      write(socket, ready, rest());
      // A client that does not read what it asked for is not listened to.
      if (socket.writableNeedDrain && socket.writableLength > 0) socket.pause();
      answered(plain.target, socket);
    },
    drain: () => socket.resume(),
    end: () => socket.end(),
    timeout: () => socket.destroy(),
    error: () => socket.destroy(),
    close: leave,
  };
  for (const [event, listener] of Object.entries(on)) socket.on(event, listener);
  socket.setTimeout(patience.first);
}

interface PlainRequest {
  readonly target: string;
  readonly host: string;
}

/** Target and host of a request that is whole, alone and plain. */
function readPlain(chunk: Buffer): PlainRequest | undefined {
  if (chunk.length > longestRequest) return undefined;
  const text = chunk.toString("latin1");
  const end = text.indexOf(" HTTP/1.1\r\n");
  if (end <= 0 || !text.startsWith("GET /") || !plainHeaders.test(text.slice(end + 11))) return undefined;
  const host = end + " HTTP/1.1\r\nhost:".length;
  return { target: text.slice(4, end), host: text.slice(host, text.indexOf("\r\n", host)).trimStart() };
}

function write(socket: Socket, { head, body, text }: ReadyResponse, rest: string): void {
  // As text it leaves in one write together with the headers, and not in two.
  if (text !== undefined) return void socket.write(head + rest + text, "latin1");
  socket.cork();
  socket.write(head + rest, "latin1");
  socket.write(body);
  socket.uncork();
}

/** The headers that node:http adds to each answer: the same text for a second. */
function connectionHeaders({ now, patience }: HitLaneParts): () => string {
  let [second, text] = [Number.NaN, ""];
  return () => {
    const time = Math.floor(now() / 1000);
    if (time !== second) {
      second = time;
      const date = new Date(time * 1000).toUTCString();
      text = `Date: ${date}\r\nConnection: keep-alive\r\nKeep-Alive: timeout=${patience.next / 1000}\r\n\r\n`;
    }
    return text;
  };
}

/** Gives a connection, and what was read of it last, to who knows all of HTTP. */
function handOver(socket: Socket, chunk: Buffer, onward: () => void): void {
  socket.pause();
  socket.unshift(chunk);
  onward();
  process.nextTick(() => socket.resume());
}
