import { closeSync, mkdirSync, openSync, readFileSync, readSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { hmac } from "../../access/hmac.ts";
import { revocationEntry } from "../../access/revocations.ts";
import type { TokenKeys, TokenRecord } from "../../access/token-store.ts";
import { revokedKey } from "../../edge/revocations.ts";
import { CodedError } from "../../golang/coded-error.ts";
import type { Ended } from "../../proxy/channels/channel-rows.ts";
import { connect } from "../data/sqlite-connection.ts";
import { migrate, transact } from "../data/sqlite-schema.ts";
import { isDamage } from "../data/storage-failure.ts";
import { isMissing } from "./private-file.ts";
import { parseTokenFile } from "./token-file.ts";

/** The name of the tokens in a data folder: a file of its own, which nothing that mends the index touches. */
export const tokenDatabaseFile = "tokens.sqlite";

/** What earlier versions had in its place. */
export const tokenFile = "access.json";

const tables = `
  CREATE TABLE signing_key (place INTEGER PRIMARY KEY, id TEXT NOT NULL, secret TEXT NOT NULL) STRICT;
  CREATE TABLE identity_key (place INTEGER PRIMARY KEY, secret TEXT NOT NULL) STRICT;
  CREATE TABLE token (
    id TEXT NOT NULL PRIMARY KEY,
    subject TEXT NOT NULL,
    role TEXT NOT NULL,
    modules TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    signing_key TEXT NOT NULL,
    revoked INTEGER,
    text TEXT,
    entry TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX token_end ON token (expires);
  CREATE INDEX token_revoked ON token (text) WHERE text IS NOT NULL;
`;

const usedIdTokens = `
  CREATE TABLE used_id_token (id TEXT NOT NULL PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX used_id_token_end ON used_id_token (until);
`;

const endedChannels = `
  CREATE TABLE ended_channel (name TEXT NOT NULL PRIMARY KEY, since INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

/** What leads from each version of the schema to the next, an empty file being version 0. What is here never changes. */
const migrations: readonly string[] = [tables, usedIdTokens, endedChannels];

/**
 * Opens the tokens of a data folder, made where there are none; what an earlier version kept in a file is taken over.
 *
 * Throws `CodedError` "tokens-unreadable" when it is damaged or of a newer modfront.
 */
export function openTokenDatabase(data: string): DatabaseSync {
  const database = openDatabase(data);
  try {
    migrate(database, migrations, tooNew);
    takeOver(database, join(data, tokenFile));
    return database;
  } catch (error) {
    database.close();
    throw unreadable(error);
  }
}

/** Keys lie in it: it is its owner's alone, and what SQLite puts beside it has the same mode. */
function openDatabase(data: string): DatabaseSync {
  try {
    mkdirSync(data, { recursive: true, mode: 0o700 });
    const path = join(data, tokenDatabaseFile);
    checkHeader(path);
    return connect(path, "FULL");
  } catch (error) {
    throw unreadable(error);
  }
}

/** Makes the file where there is none. SQLite takes one that is shorter than a header of its own for a new one. */
function checkHeader(path: string): void {
  const file = openSync(path, "a+", 0o600);
  try {
    const begin = Buffer.alloc(header.length);
    const length = readSync(file, begin, 0, begin.length, 0);
    if (length > 0 && begin.toString("latin1") !== header) throw damagedTokens();
  } finally {
    closeSync(file);
  }
}

const header = "SQLite format 3\0";

function damagedTokens(cause?: unknown): CodedError {
  const message = `the database of tokens is damaged: restore ${tokenDatabaseFile}, or move it away to start anew`;
  return new CodedError("tokens-unreadable", message, { cause });
}

function unreadable(cause: unknown): Error {
  if (cause instanceof CodedError) return cause;
  if (isDamage(cause)) return damagedTokens(cause);
  return new CodedError("tokens-unreadable", "the tokens of the data folder cannot be read", { cause });
}

function tooNew(): CodedError {
  return new CodedError("tokens-unreadable", "the tokens were made by a newer modfront: use that one");
}

/**
 * Takes over the file of an earlier version, then removes it. After a crash between the two it is taken over again, which
 * changes nothing: what is there stays, revocations since then too.
 */
function takeOver(database: DatabaseSync, path: string): void {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  const { tokens, ...keys } = parseTokenFile(text);
  transact(database, () => {
    if (readKeys(database).keys.length === 0) writeKeys(database, keys);
    const known = new Set(readKeys(database).keys.map(({ id }) => id));
    for (const record of tokens) if (known.has(record.key)) insertToken(database, record);
  });
  rmSync(path, { force: true });
}

export function readKeys(database: DatabaseSync): TokenKeys {
  const keys = database.prepare("SELECT id, secret FROM signing_key ORDER BY place").all();
  const identityKeys = database.prepare("SELECT secret FROM identity_key ORDER BY place").all();
  return {
    keys: keys.map(({ id, secret }) => ({ id: String(id), secret: String(secret) })),
    identityKeys: identityKeys.map(({ secret }) => String(secret)),
  };
}

/** Which channels were rolled back. */
export function readEnded(database: DatabaseSync): Ended {
  const rows = database.prepare("SELECT name, since FROM ended_channel").all();
  return new Map(rows.map(({ name, since }) => [String(name), Number(since)]));
}

export function writeKeys(database: DatabaseSync, { keys, identityKeys }: TokenKeys): void {
  database.exec("DELETE FROM signing_key; DELETE FROM identity_key");
  const key = database.prepare("INSERT INTO signing_key (place, id, secret) VALUES (?, ?, ?)");
  for (const [place, { id, secret }] of keys.entries()) key.run(place, id, secret);
  const identityKey = database.prepare("INSERT INTO identity_key (place, secret) VALUES (?, ?)");
  for (const [place, secret] of identityKeys.entries()) identityKey.run(place, secret);
}

/** Adds a record; false when there is one with its id. */
export function insertToken(database: DatabaseSync, record: TokenRecord): boolean {
  const { id, subject, role, modules, created, expires, key } = record;
  const insert = database.prepare(
    `INSERT INTO token (id, subject, role, modules, created, expires, signing_key)
     VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  if (insert.run(id, subject, role, modules, created, expires, key).changes === 0) return false;
  if (record.revoked !== undefined) markRevoked(database, record, record.revoked);
  return true;
}

/** Marks a token as revoked, with what the edge reads of that. */
export function markRevoked(database: DatabaseSync, { id, expires }: TokenRecord, at: number): void {
  const entry = revocationEntry({ id, expires }, hmac);
  database
    .prepare("UPDATE token SET revoked = coalesce(revoked, ?), text = ?, entry = ? WHERE id = ?")
    .run(at, revokedKey(id), entry, id);
}
