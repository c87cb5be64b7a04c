import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { LogHead, LogRecord, LogRow, RecordProof, SignedHead } from "../proxy/store/log-store.ts";
import { attributes } from "./table.ts";

// What the rows of the log say, as attributes. Whatever is read throws where a row is not whole: what is not known to be
// what was written must not pass for it.

export type Attributes = Readonly<Record<string, AttributeValue>>;

const hashSize = 32;

export function headAttributes({ epoch, role, mode, size, root }: LogHead): Attributes {
  const a = attributes.logHead;
  const said = { [a.epoch]: number(epoch), [a.role]: { S: role }, [a.mode]: { S: mode } };
  return { ...said, [a.size]: number(size), [a.root]: { B: root } };
}

export function parseHead(row: Attributes): LogHead {
  const a = attributes.logHead;
  const [role, mode, root] = [row[a.role]?.S, row[a.mode]?.S, row[a.root]?.B];
  const knownRole = role === "primary" || role === "standby";
  const knownMode = mode === "solo" || mode === "paired";
  if (!knownRole || !knownMode || root?.length !== hashSize) throw notWhole("the log's head");
  return { epoch: bigintOf(row[a.epoch]), role, mode, size: bigintOf(row[a.size]), root };
}

/** The hashes of a row lie one after another. */
export function rowAttributes({ hashes, text, proof }: LogRow): Attributes {
  const a = attributes.logRow;
  return {
    [a.hashes]: { B: Buffer.concat(hashes) },
    ...(text && { [a.text]: { B: text } }),
    ...proofAttributes(proof),
  };
}

export function parseRow(row: Attributes): LogRow {
  const a = attributes.logRow;
  const joined = row[a.hashes]?.B;
  if (joined === undefined || joined.length === 0 || joined.length % hashSize !== 0) throw notWhole("a row of the log");
  const hashes = Array.from({ length: joined.length / hashSize }, (_, i) =>
    joined.subarray(i * hashSize, (i + 1) * hashSize),
  );
  return { hashes, text: row[a.text]?.B, proof: parseProof(row) };
}

export function recordAttributes({ module, zip, goMod, proof }: LogRecord): Attributes {
  const a = attributes.pending;
  const said = { [a.path]: { S: module.path }, [a.version]: { S: module.version } };
  return { ...said, [a.zip]: { S: zip }, [a.goMod]: { S: goMod }, ...proofAttributes(proof) };
}

export function parseRecord(row: Attributes): LogRecord {
  const a = attributes.pending;
  const [path, version, zip, goMod] = [a.path, a.version, a.zip, a.goMod].map((name) => row[name]?.S);
  if (path === undefined || version === undefined || zip === undefined || goMod === undefined)
    throw notWhole("a record that waits");
  return { module: { path, version }, zip, goMod, proof: parseProof(row) };
}

export function numberAttributes(value: bigint): Attributes {
  return { [attributes.logNumber.number]: number(value) };
}

export function parseNumber(row: Attributes): bigint {
  return bigintOf(row[attributes.logNumber.number]);
}

export function signedHeadAttributes({ size, note }: SignedHead): Attributes {
  const a = attributes.signedHead;
  return { [a.size]: number(size), [a.note]: { B: note } };
}

export function parseSignedHead(row: Attributes): SignedHead {
  const a = attributes.signedHead;
  const note = row[a.note]?.B;
  if (note === undefined) throw notWhole("the signed head of the log");
  return { size: bigintOf(row[a.size]), note };
}

function proofAttributes(proof: RecordProof | undefined): Attributes {
  const a = attributes.proof;
  return proof === undefined ? {} : { [a.number]: number(proof.number), [a.head]: { B: proof.head } };
}

function parseProof(row: Attributes): RecordProof | undefined {
  const a = attributes.proof;
  const head = row[a.head]?.B;
  if (head === undefined && row[a.number] === undefined) return undefined;
  if (head === undefined) throw notWhole("the proof of a record");
  return { number: bigintOf(row[a.number]), head };
}

/** DynamoDB's numbers have 38 digits, which is more than a log has records. */
export function number(value: bigint): { readonly N: string } {
  return { N: String(value) };
}

function bigintOf(value: AttributeValue | undefined): bigint {
  if (!/^\d{1,19}$/.test(value?.N ?? "")) throw notWhole("a number of the log");
  return BigInt(value?.N ?? "");
}

function notWhole(what: string): Error {
  return new Error(`${what} is not whole`);
}
