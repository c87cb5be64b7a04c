import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeBase64 } from "../../lambda/golang/encoding.ts";
import { generateKey, newSigner, newVerifier, open, type Signature, sign } from "../../lambda/golang/note.ts";
import { assertAgrees, type Question } from "../support/agree.ts";
import { skipWithoutGo } from "../support/xmod.ts";

const bytes = (text: string) => new Uint8Array(Buffer.from(text));

const text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const peter = generateKey("PeterNeumann");
const enoch = generateKey("EnochRoot");
const stranger = generateKey("Stranger");
/** The key of sum.golang.org, as the go command knows it. */
const sumGolangOrg = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";

const signed = Buffer.from(await sign({ text }, newSigner(peter.skey))).toString();
const line = signed.slice(text.length + 1);
const lineOf = async (key: { readonly skey: string }) =>
  Buffer.from(await sign({ text }, newSigner(key.skey)))
    .toString()
    .slice(text.length + 1);
const enochLine = await lineOf(enoch);
const strangerLine = await lineOf(stranger);
const otherText = Buffer.from(await sign({ text: "other\n" }, newSigner(peter.skey)))
  .toString()
  .slice(7);
const onlyHash = `— PeterNeumann ${encodeBase64(Buffer.from(peter.vkey.split("+")[1] ?? "", "hex"))}\n`;

/** A note, and what opening it with the keys of Peter and Enoch gives: the names verified and not, or the error. */
const notes: readonly (readonly [message: string, verified: string, unverified?: string])[] = [
  [signed, "PeterNeumann", ""],
  [signed + enochLine, "PeterNeumann EnochRoot", ""],
  [signed + line + line, "PeterNeumann", ""],
  [signed + otherText, "PeterNeumann", ""], // the second signature of one key is not looked at
  [signed + strangerLine + strangerLine, "PeterNeumann", "Stranger"],
  [`${text}\n${strangerLine}${line}`, "PeterNeumann", "Stranger"],
  [`${text}\n${strangerLine}`, "note-unverified"],
  [`${text}\n${otherText}${line}`, "note-invalid-signature"],
  [signed.replace("cryptography", "Cryptography"), "note-invalid-signature"],
  [`\n${signed}`, "note-invalid-signature"],
  [`${text}\n${strangerLine.repeat(99)}${line}`, "PeterNeumann", "Stranger"],
  [`${text}\n${strangerLine.repeat(100)}${line}`, "note-malformed"],
  [signed.slice(0, -1), "note-malformed"],
  [`${signed}\n`, "note-malformed"],
  [`${signed}junk\n`, "note-malformed"],
  [`${text}${line}`, "note-malformed"],
  [`${text}\n`, "note-malformed"],
  ["", "note-malformed"],
  ["\n\n", "note-malformed"],
  [signed.replace("— ", "- "), "note-malformed"],
  [signed.replace(" PeterNeumann ", " Peter+Neumann "), "note-malformed"],
  [signed.replace(" PeterNeumann ", " Peter\u0085Neumann "), "note-malformed"], // a space to Go, not to \s
  [signed.replace(" PeterNeumann ", " Peter\ufeffNeumann "), "note-unverified"], // a space to \s, not to Go
  [signed.replace(" PeterNeumann ", "  "), "note-malformed"],
  [`${text}\n— PeterNeumann\n`, "note-malformed"],
  [`${text}\n— PeterNeumann \n`, "note-malformed"],
  [`${text}\n${onlyHash}`, "note-malformed"],
  [signed.replace(/=*\n$/, "\n"), "note-malformed"],
  [signed.replace(/\n$/, " \n"), "note-malformed"],
  [signed.replace("think", "th\tnk"), "note-malformed"],
  [signed.replace("think", "th\rnk"), "note-malformed"],
  [signed.replace("think", "th\0nk"), "note-malformed"],
];

const names = (signatures: readonly Signature[]) => signatures.map(({ name }) => name).join(" ");

test("open verifies what known keys signed and lists the rest", () => {
  const verifiers = [newVerifier(peter.vkey), newVerifier(enoch.vkey)];
  for (const [message, verified, unverified] of notes) {
    if (verified.startsWith("note-")) {
      assert.throws(() => open(bytes(message), verifiers), { code: verified }, message);
      continue;
    }
    const note = open(bytes(message), verifiers);
    assert.deepEqual([note.text, names(note.sigs), names(note.unverifiedSigs)], [text, verified, unverified], message);
  }
});

test("open keeps a byte order mark and refuses bytes that are not UTF-8", async () => {
  const verifiers = [newVerifier(peter.vkey)];
  const marked = await sign({ text: `\ufeff${text}` }, newSigner(peter.skey));
  assert.equal(open(marked, verifiers).text, `\ufeff${text}`);
  for (const junk of ["ff", "c080", "eda080", "f8888080"]) {
    const message = Buffer.concat([Buffer.from(junk, "hex"), bytes(signed)]);
    assert.throws(() => open(message, verifiers), { code: "note-malformed" }, junk);
  }
});

test("two verifiers with one name and hash are ambiguous", () => {
  const verifiers = [newVerifier(peter.vkey), newVerifier(peter.vkey)];
  assert.throws(() => open(bytes(signed), verifiers), { code: "note-ambiguous-verifier" });
});

test("a signature with any bit changed does not verify", () => {
  const verifier = newVerifier(peter.vkey);
  const signature = Buffer.from(line.split(" ")[2] ?? "", "base64").subarray(4);
  assert.equal(verifier.verify(bytes(text), signature), true);
  for (let i = 0; i < signature.length * 8; i += 13) {
    const wrong = Uint8Array.from(signature, (byte, at) => (at === i >> 3 ? byte ^ (1 << (i & 7)) : byte));
    assert.equal(verifier.verify(bytes(text), wrong), false, `bit ${i}`);
  }
  assert.equal(verifier.verify(bytes(text), signature.subarray(1)), false);
  assert.equal(verifier.verify(bytes(text), new Uint8Array(0)), false);
});

test("sign keeps the signatures of others and replaces its own", async () => {
  const verifiers = [newVerifier(peter.vkey), newVerifier(enoch.vkey)];
  const note = open(bytes(signed + strangerLine), verifiers);
  const again = open(await sign(note, newSigner(enoch.skey), newSigner(peter.skey)), verifiers);
  assert.deepEqual([names(again.sigs), names(again.unverifiedSigs)], ["EnochRoot PeterNeumann", "Stranger"]);
  const foreign = { name: "x", hash: 1, base64: "AAAAAgAA" };
  await assert.rejects(sign({ text, sigs: [foreign] }), { code: "note-malformed" });
  await assert.rejects(sign({ text: "no newline" }), { code: "note-malformed" });
});

const [, peterHash = "", peterKey = ""] = peter.vkey.split(/\+(.{8})\+/);
const verifierKeys: readonly (readonly [vkey: string, code: string | undefined])[] = [
  [sumGolangOrg, undefined],
  [peter.vkey, undefined],
  [peter.vkey.replace(peterHash, peterHash.toUpperCase()), undefined],
  [peter.vkey.replace("Peter", "Paul"), "note-key-hash-mismatch"],
  [peter.vkey.replace(peterHash, `0${peterHash}`), "note-malformed-key"],
  [peter.vkey.replace(peterHash, `+${peterHash.slice(1)}`), "note-malformed-key"],
  [peter.vkey.replace(peterKey, `${peterKey}!`), "note-malformed-key"],
  [peter.vkey.replace("PeterNeumann", "Peter Neumann"), "note-malformed-key"],
  [peter.vkey.replace("PeterNeumann", ""), "note-malformed-key"],
  [`PeterNeumann+${peterHash}+`, "note-malformed-key"],
  [`PeterNeumann+${peterHash}`, "note-malformed-key"],
  ["PeterNeumann+cc469956+BQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=", "note-key-hash-mismatch"],
  ["", "note-malformed-key"],
];

test("newVerifier takes a key whose hash fits", () => {
  for (const [vkey, code] of verifierKeys) {
    if (code === undefined) assert.equal(newVerifier(vkey).name, vkey.split("+")[0]);
    else assert.throws(() => newVerifier(vkey), { code }, vkey);
  }
  assert.equal(newVerifier(sumGolangOrg).keyHash, 0x033de0ae);
});

const signerKeys = [peter.skey, peter.skey.replace("Peter", "Paul"), peter.skey.slice(0, -4), peter.skey.slice(1), ""];

test("newSigner takes a key whose hash fits, and never prints it", () => {
  assert.equal(newSigner(peter.skey).name, "PeterNeumann");
  for (const skey of signerKeys.slice(1)) {
    assert.throws(
      () => newSigner(skey),
      (error: Error & { code: string }) => error.code.startsWith("note-") && !error.message.includes("Neumann"),
    );
  }
  assert.throws(() => generateKey("two words"), { code: "note-malformed-key" });
});

test("keys and signatures agree with x/mod", { skip: skipWithoutGo }, async () => {
  await assertAgrees([
    ...verifierKeys.map(([vkey]) => ({
      fn: "note.newVerifier",
      args: [vkey],
      ours: () => `${newVerifier(vkey).name} ${newVerifier(vkey).keyHash}`,
    })),
    ...signerKeys.map((skey) => ({
      fn: "note.newSigner",
      args: [skey],
      ours: () => `${newSigner(skey).name} ${newSigner(skey).keyHash}`,
    })),
    ...[text, "\n", "a\n\nb\n", "no newline", "\u{1f600}\n"].map((text) => ({
      fn: "note.sign",
      args: [text, peter.skey, enoch.skey],
      ours: async () => encodeBase64(await sign({ text }, newSigner(peter.skey), newSigner(enoch.skey))),
    })),
  ]);
});

test("opened notes agree with x/mod: the table's, and signed ones with a part changed", {
  skip: skipWithoutGo,
}, async () => {
  const part = fc.constantFrom("", "\n", "\n\n", " ", "=", "+", "\r", "\t", "— ", line, strangerLine, "é", "\ufffd");
  const change = fc.tuple(fc.nat(signed.length), part, fc.nat(2));
  const changed = fc
    .sample(change, 200)
    .map(([at, part, removed]) => signed.slice(0, at) + part + signed.slice(at + removed));
  await assertAgrees([...notes.map(([message]) => message), ...changed].map(openQuestion));
});

function openQuestion(message: string): Question {
  const describe = (list: readonly Signature[]) => list.map(({ name, hash, base64 }) => `${name} ${hash} ${base64}`);
  return {
    fn: "note.open",
    args: [encodeBase64(bytes(message)), peter.vkey, enoch.vkey],
    ours: () => {
      const note = open(bytes(message), [newVerifier(peter.vkey), newVerifier(enoch.vkey)]);
      return { sigs: describe(note.sigs), text: note.text, unverifiedSigs: describe(note.unverifiedSigs) };
    },
  };
}
