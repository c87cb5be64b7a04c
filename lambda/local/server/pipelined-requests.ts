import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Requests of one connection that may wait for those before them; `go` and browsers never send a second one. */
const mostWaiting = 100;

/**
 * Hands the requests of a connection on one after the other, each when the answer before it is out.
 *
 * node:http parses whatever has come and hands all of it on at once: a thousand requests in one packet would open a
 * thousand files. Who sends more than may wait is no client of ours, and its connection ends.
 */
export function oneAtATime(next: RequestListener): RequestListener {
  const waiting = new WeakMap<Socket, number>();
  return (request, response) => {
    // A response has its connection from the start unless another one has it.
    if (response.socket !== null) return next(request, response);
    const { socket } = request;
    const count = (waiting.get(socket) ?? 0) + 1;
    if (count > mostWaiting) return void socket.destroy();
    waiting.set(socket, count);
    awaitTurn(response, () => {
      waiting.set(socket, (waiting.get(socket) ?? 1) - 1);
      next(request as IncomingMessage, response as ServerResponse<IncomingMessage>);
    });
  };
}

/** node:http tells a response of its connection; one whose connection ends before is never heard of again. */
function awaitTurn(response: ServerResponse, begin: () => void): void {
  response.once("socket", () => process.nextTick(begin));
}
