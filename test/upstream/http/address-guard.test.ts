import assert from "node:assert/strict";
import { test } from "node:test";
import { isPublicAddress } from "../../../lambda/upstream/http/address-guard.ts";

const refused = `
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.255
168.63.129.16 169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.2.1 192.168.0.1 198.18.0.1
198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:10.1.2.3 ::ffff:169.254.169.254 0:0:0:0:0:ffff:0a00:0001
64:ff9b::127.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:db8::1
2002:7f00:1::1 3fff::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 fec0::1 ff02::1 4000::1
example.com 127.1 1.2.3 [::1] 1.2.3.4.5
`;
const open = `
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 168.63.129.17 169.253.255.255
172.15.255.255 172.32.0.0 192.0.1.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255
::ffff:8.8.8.8 64:ff9b::8.8.8.8 2001:200::1 2001:4860:4860::8888 2003::1 2600:1f00::1 2a00:1450::1
`;

const words = (text: string) => text.trim().split(/\s+/);

test("private, loopback, link-local, metadata and other special addresses are not public", () => {
  assert.deepEqual(words(refused).filter(isPublicAddress), []);
});

test("the addresses on either side of them are", () => {
  assert.deepEqual(
    words(open).filter((address) => !isPublicAddress(address)),
    [],
  );
});
