import assert from "node:assert/strict";
import { test } from "node:test";
import { type Packet, PacketReader, packetOf, packetText } from "../../../../lambda/upstream/git/pack/pkt-line.ts";

function readAll(chunks: readonly Uint8Array[]): string[] {
  const reader = new PacketReader();
  const shown = (packet: Packet) => (packet.kind === "data" ? packet.data.toString("latin1") : `<${packet.kind}>`);
  const packets = chunks.flatMap((chunk) => Array.from(reader.read(chunk), shown));
  reader.end();
  return packets;
}

function cutInto(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

test("packets come out the same wherever the chunks are cut", () => {
  const bytes = Buffer.from(
    `0006a\n00000004000100020008abcd${packetOf("done")}fff0${"x".repeat(65_516)}0005\x010000`,
    "latin1",
  );
  const expected = [
    "a\n",
    "<flush>",
    "",
    "<delimiter>",
    "<response-end>",
    "abcd",
    "done\n",
    "x".repeat(65_516),
    "\x01",
    "<flush>",
  ];
  for (const size of [1, 2, 3, 5, 7, 64, 65_519, bytes.length])
    assert.deepEqual(readAll(cutInto(bytes, size)), expected);
});

test("what is no packet is refused", () => {
  // 0003 has no meaning; the longest packet has 65520 bytes; digits are hexadecimal, without signs or blanks.
  for (const bytes of ["0003", "fff1", "ffff", "00 6", "+006", "zzzz", "<htm", "0x06", "\xff\xff\xff\xff"]) {
    for (const size of [1, 4]) {
      assert.throws(
        () => readAll(cutInto(Buffer.from(`0005a${bytes}`, "latin1"), size)),
        { code: "bad-answer" },
        bytes,
      );
    }
  }
  for (const cut of ["0", "000", "0006", "0006a"]) {
    assert.throws(() => readAll([Buffer.from(cut)]), {
      code: "bad-answer",
      message: "ended its answer in the middle of a packet",
    });
  }
});

test("a server's own words of refusal are shown on one short line", () => {
  const refusal = (words: string) => () => packetText(Buffer.from(words));
  assert.throws(refusal("ERR no such repository\n"), { code: "refused", message: "refused: no such repository" });
  assert.throws(refusal("ERR \x1b[31mred\r\nX-Header: 1\u202e"), {
    code: "refused",
    message: "refused: ?[31mred??X-Header: 1?",
  });
  assert.throws(refusal(`ERR ${"long ".repeat(5_000)}`), ({ message }: Error) => message.length < 320);
  assert.equal(packetText(Buffer.from("ERROR of mine\n")), "ERROR of mine");
});
