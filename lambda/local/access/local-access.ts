import { BlockList, isIP } from "node:net";
import { tenantPatterns } from "../../access/tenants.ts";
import type { Config } from "../../config/config.ts";
import type { AccessSettings } from "../../edge/access-settings.ts";
import { WatchedTokens } from "./watched-tokens.ts";

/** What decides who may on one machine: the configuration, and the address the server listens on. */
export interface LocalAccessSettings {
  readonly config: Pick<Config, "access" | "private" | "tenants"> & Partial<Pick<Config, "channels">>;
  readonly host: string;
}

/**
 * Returns who is served what without a token: as configured, else everything on loopback, and nothing elsewhere or where
 * tenants must be told apart.
 */
export function localAccess({ config, host }: LocalAccessSettings): AccessSettings {
  const { access, tenants } = config;
  const isOpen = isLoopback(host) && Object.keys(tenants).length === 0;
  const anonymous = access.anonymous ?? (isOpen ? "all" : "none");
  return { anonymous, private: config.private.join(","), tenants: tenantPatterns(tenants) };
}

/** Returns the key values of a local server; `now` in milliseconds. */
export function localKeyValues(
  settings: LocalAccessSettings & { readonly data: string },
  now: () => number,
): WatchedTokens {
  const { data, config } = settings;
  return new WatchedTokens({
    data,
    access: localAccess(settings),
    channels: config.channels ?? {},
    now: () => Math.floor(now() / 1000),
  });
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8);
loopback.addAddress("::1", "ipv6");

/** True for the addresses and the one name by which a machine reaches only itself. */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host === "localhost";
  return loopback.check(host, family === 6 ? "ipv6" : "ipv4");
}
