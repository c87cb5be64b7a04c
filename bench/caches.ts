import type { Bench, Peer } from "./part.ts";
import { type Measured, startModfront, startNginx, startPeer } from "./servers.ts";

/** Starts a proxy with what it keeps in `folder`, which is empty, in front of the upstream. */
export type Start = (folder: string, upstream: string) => Promise<Measured>;

/** modfront and whom it is measured beside, each as something that can be started afresh. */
export function caches({ hasNginx, peers }: Bench): ReadonlyMap<string, Start> {
  const modfront: Start = (folder, upstream) => startModfront(folder, ["--upstream", upstream]);
  const started = peers.flatMap((peer): (readonly [string, Start])[] =>
    "url" in peer
      ? []
      : [[peer.name, (folder, upstream) => startPeer(peer.name, peer.command, folder, upstream)] as const],
  );
  return new Map([["modfront", modfront], ...(hasNginx ? [["nginx", startNginx] as const] : []), ...started]);
}

/** The peer of a `--peer`; `undefined` when it is none. */
export function parsePeer(text: string): Peer | undefined {
  const [, name, value] = /^([\w. -]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) return undefined;
  return /^https?:\/\/\S+$/.test(value) ? { name, url: value.replace(/\/$/, "") } : { name, command: value };
}
