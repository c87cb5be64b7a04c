import dns, { type LookupAddress, type LookupAllOptions } from "node:dns";

// Loaded into the emulator's Lambdas: names below localhost are this machine (RFC 6761, 6.3), which not every resolver
// knows. Clients put the account's number in front of the emulator's host where AWS has hosts for each account.

type Callback = (error: Error | null, addresses: string | readonly LookupAddress[], family?: number) => void;
type Lookup = (name: string, options: LookupAllOptions, callback: Callback) => void;

const lookup = dns.lookup as unknown as Lookup;

dns.lookup = ((name, options, callback) => {
  if (!name.endsWith(".localhost")) return lookup(name, options, callback);
  return lookup("127.0.0.1", options, callback);
}) as Lookup as unknown as typeof dns.lookup;
