import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { CodedError } from "../../golang/coded-error.ts";
import type { CredentialKind } from "../../upstream/credentials/configured-credentials.ts";
import {
  type CredentialChange,
  type CredentialName,
  type CredentialNote,
  type CredentialReads,
  type CredentialStore,
  checkRoom,
  noSuchCredential,
  type SetCredential,
  type ShownCredential,
  shown,
} from "../../upstream/credentials/credential-store.ts";
import { type Failpoint, noFailpoint } from "../data/failpoints.ts";
import { connect } from "../data/sqlite-connection.ts";
import { migrate, transact } from "../data/sqlite-schema.ts";

/** The name of the credentials that were set, in a data folder: a file of its own that only its owner reads. */
export const credentialFile = "credentials.sqlite";

const tables = `
  CREATE TABLE credential (
    tenant TEXT NOT NULL,
    match TEXT NOT NULL,
    kind TEXT NOT NULL,
    user TEXT,
    secret TEXT NOT NULL,
    changed INTEGER NOT NULL,
    request TEXT NOT NULL,
    removed INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, match)
  ) STRICT, WITHOUT ROWID;
`;

/** What leads from each version of the schema to the next, an empty file being version 0. What is here never changes. */
const migrations: readonly string[] = [tables];

/**
 * The credentials of a data folder that were set, in a database that is opened when it is first needed. A change of any process
 * is in what is read next: SQLite says whether there was one without a look at the rows.
 */
export class SqliteCredentialStore implements CredentialStore, CredentialReads {
  readonly #data: string;
  readonly #failpoint: Failpoint;
  #opened: DatabaseSync | undefined;
  #read: { readonly version: number; readonly all: readonly SetCredential[] } | undefined;

  constructor(data: string, failpoint: Failpoint = noFailpoint) {
    this.#data = data;
    this.#failpoint = failpoint;
  }

  async readAll(): Promise<readonly SetCredential[]> {
    return this.#all();
  }

  hasOwn(tenant: string): boolean {
    return this.#all().some((each) => each.tenant === tenant);
  }

  async list(): Promise<readonly ShownCredential[]> {
    return this.#all().map(shown);
  }

  async last({ tenant, match }: CredentialName): Promise<CredentialChange | undefined> {
    const row = this.#database
      .prepare("SELECT changed, request, removed FROM credential WHERE tenant = ? AND match = ?")
      .get(tenant, match);
    if (row === undefined) return undefined;
    return { changed: Number(row.changed), request: String(row.request), removed: row.removed === 1 };
  }

  async set(credential: SetCredential, note?: CredentialNote): Promise<void> {
    const database = this.#database;
    checkRoom(this.#all(), credential);
    await note?.();
    const { tenant, match, kind, user = null, secret, changed, request } = credential;
    this.#failpoint("credential.set.before");
    transact(database, () => {
      checkRoom(this.#all(), credential);
      database
        .prepare("INSERT OR REPLACE INTO credential VALUES (?, ?, ?, ?, ?, ?, ?, 0)")
        .run(tenant, match, kind, user, secret, changed, request);
    });
    this.#read = undefined;
    this.#failpoint("credential.set.after");
  }

  async remove(change: Parameters<CredentialStore["remove"]>[0], note?: CredentialNote): Promise<void> {
    const database = this.#database;
    const { tenant, match, changed, request } = change;
    if ((await this.last(change))?.removed !== false) throw noSuchCredential();
    await note?.();
    this.#failpoint("credential.remove.before");
    const isRemoved = transact(database, () => {
      database.prepare("DELETE FROM credential WHERE removed = 1 AND changed < ?").run(changed - remembered);
      const removed = database.prepare(
        `UPDATE credential SET secret = '', user = NULL, changed = ?, request = ?, removed = 1
         WHERE tenant = ? AND match = ? AND removed = 0`,
      );
      return removed.run(changed, request, tenant, match).changes > 0;
    });
    this.#read = undefined;
    if (!isRemoved) throw noSuchCredential();
    this.#failpoint("credential.remove.after");
  }

  close(): void {
    this.#opened?.close();
    this.#opened = undefined;
  }

  #all(): readonly SetCredential[] {
    // Where nobody has set one there is no file, and none is made for looking.
    if (this.#opened === undefined && !existsSync(join(this.#data, credentialFile))) return none;
    const database = this.#database;
    const version = Number(database.prepare("PRAGMA data_version").get()?.data_version);
    if (this.#read?.version === version) return this.#read.all;
    const all = database
      .prepare("SELECT * FROM credential WHERE removed = 0 ORDER BY tenant, match")
      .all()
      .map(toCredential);
    this.#read = { version, all };
    return all;
  }

  get #database(): DatabaseSync {
    this.#opened ??= openDatabase(this.#data);
    return this.#opened;
  }
}

/** What SQLite puts beside the file has the same mode; what is removed from it is overwritten. */
function openDatabase(data: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(data, { recursive: true, mode: 0o700 });
    const path = join(data, credentialFile);
    closeSync(openSync(path, "a", 0o600));
    database = connect(path, "FULL");
    database.exec("PRAGMA secure_delete = ON");
    migrate(database, migrations, () => unreadable("were made by a newer modfront: use that one"));
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof CodedError) throw error;
    throw unreadable(`cannot be read: restore ${credentialFile}, or move it away and set them again`, error);
  }
}

/** Milliseconds for which it is known when one was removed, without what it was: longer than a change waits to be settled. */
const remembered = 3 * 86_400_000;

const none: readonly SetCredential[] = [];

function unreadable(why: string, cause?: unknown): CodedError {
  return new CodedError("credentials-unreadable", `the credentials that were set ${why}`, { cause });
}

function toCredential(row: Readonly<Record<string, unknown>>): SetCredential {
  const { user } = row;
  return {
    tenant: String(row.tenant),
    match: String(row.match),
    kind: String(row.kind) as CredentialKind,
    secret: String(row.secret),
    changed: Number(row.changed),
    request: String(row.request),
    ...(user !== null && { user: String(user) }),
  };
}
