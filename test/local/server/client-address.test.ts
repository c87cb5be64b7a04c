import assert from "node:assert/strict";
import { test } from "node:test";
import { clientAddress } from "../../../lambda/http/client-address.ts";

const rows: readonly [remote: string, client: string][] = [
  ["192.0.2.7", "192.0.2.7"],
  // What a socket for both kinds says of an IPv4 client.
  ["::ffff:192.0.2.7", "::ffff:192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
  ["2001:db8:1:2::9", "2001:db8:1:2"],
  ["2001:db8::1", "2001:db8:0:0"],
  ["::1", "0:0:0:0"],
  ["fe80::1%eth0", "fe80:0:0:0"],
  ["", ""],
];

test("a client is an IPv4 address, or the half of an IPv6 one that its owner cannot choose", () => {
  assert.deepEqual(
    rows.map(([remote]) => clientAddress(remote)),
    rows.map(([, client]) => client),
  );
});
