import { lookup as resolve } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";

// Everything of the IANA special-purpose registries that is not plain public unicast.
const blockedV4 = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10], // carrier-grade NAT, and a cloud's metadata service
  ["127.0.0.0", 8],
  ["168.63.129.16", 32], // a cloud's host agent on a public-looking address
  ["169.254.0.0", 16], // link-local, and most clouds' metadata service
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const;
const blockedV6 = [
  ["2001::", 23], // Teredo and other protocol assignments
  ["2001:db8::", 32],
  ["2002::", 16], // 6to4 carries an IPv4 address
  ["3fff::", 20],
] as const;

const blocked = new BlockList();
const global = new BlockList();
for (const [net, prefix] of blockedV4) {
  blocked.addSubnet(net, prefix, "ipv4");
  // NAT64 carries an IPv4 address in its last 32 bits.
  blocked.addSubnet(`64:ff9b::${net}`, 96 + prefix, "ipv6");
}
for (const [net, prefix] of blockedV6) blocked.addSubnet(net, prefix, "ipv6");
// Of IPv6 only global unicast and NAT64 are let through: whatever is assigned next is refused until somebody looked.
global.addSubnet("2000::", 3, "ipv6");
global.addSubnet("64:ff9b::", 96, "ipv6");

/** True for an IP address that a host learnt from input may have: public unicast, no private or special range. */
export function isPublicAddress(address: string): boolean {
  const plain = address.replace(/%.*$/, "");
  const family = isIP(plain);
  if (family === 4) return !blocked.check(plain, "ipv4");
  if (family !== 6) return false;
  const mapped = mappedV4(plain);
  if (mapped !== undefined) return isPublicAddress(mapped);
  return global.check(plain, "ipv6") && !blocked.check(plain, "ipv6");
}

/** `"127.0.0.1"` of `"::ffff:7f00:1"`. URL spells every mapped address in this way, whatever was written. */
function mappedV4(address: string): string | undefined {
  const { hostname } = new URL(`http://[${address}]`);
  const groups = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(hostname);
  if (groups === null) return undefined;
  const [high, low] = [Number.parseInt(groups[1] ?? "", 16), Number.parseInt(groups[2] ?? "", 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** What a guarded lookup fails with. */
export class RefusedAddressError extends Error {}

/**
 * Wraps a DNS lookup for `net.connect` so that a name with any address that is not public fails.
 *
 * The check is made on the very addresses that are connected to next, so that a name that resolves differently a moment
 * later (DNS rebinding) does not pass. One bad address among good ones is refused too: which is used is not ours to say.
 */
export function guardedLookup(lookup: LookupFunction = resolve as LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, options, (error, address, family) => {
      if (error) return callback(error, address, family);
      const addresses = typeof address === "string" ? [address] : address.map((each) => each.address);
      if (addresses.every(isPublicAddress)) return callback(error, address, family);
      callback(new RefusedAddressError("not a public address"), address, family);
    });
  };
}
