import { CodedError } from "../../lambda/golang/coded-error.ts";
import { unescapePath, unescapeVersion } from "../../lambda/golang/module.ts";
import { generateKey, newSigner, sign } from "../../lambda/golang/note.ts";
import { parseTilePath, readTileData } from "../../lambda/golang/tile.ts";
import { formatRecord, formatTree, type HashReader, storedHashes, treeHash } from "../../lambda/golang/tlog.ts";

/**
 * A checksum database in memory, with the paths of x/mod's sumdb.Server and records of modules that do not exist.
 *
 * Tests change its answers by `tamper` and read what it was asked in `requests`.
 */
export class ChecksumDatabase {
  readonly vkey: string;
  readonly requests: string[] = [];
  /** Gets path and right answer of each request, returns what is sent: other bytes, or undefined for a 404. */
  tamper: (path: string, answer: Uint8Array | undefined) => Uint8Array | undefined = (_, answer) => answer;
  readonly #key: ReturnType<typeof generateKey>;
  readonly #records: Uint8Array[] = [];
  readonly #ids = new Map<string, number>();
  readonly #stored: Uint8Array[] = [];
  readonly #read: HashReader = async (indexes) =>
    indexes.map((index) => {
      const hash = this.#stored[Number(index)];
      if (hash === undefined) throw new CodedError("sumdb-not-found", "beyond the log");
      return hash;
    });

  constructor(key = generateKey("sum.example.com")) {
    this.vkey = key.vkey;
    this.#key = key;
  }

  /** Another log, empty, that signs with the same key. */
  fork(): ChecksumDatabase {
    return new ChecksumDatabase(this.#key);
  }

  get size(): number {
    return this.#records.length;
  }

  /** Appends records of modules `path@v1.<first>.0`, `path@v1.<first+1>.0` … `count` of them. */
  async add(path: string, count: number, first = 0): Promise<void> {
    for (let i = first; i < first + count; i++) await this.addRecord(path, `v1.${i}.0`);
  }

  /** Appends the record of one module version; the hashes stand for its content. */
  async addRecord(path: string, version: string, hash = "h1:zip=", modHash = "h1:mod="): Promise<void> {
    const record = Buffer.from(`${path} ${version} ${hash}\n${path} ${version}/go.mod ${modHash}\n`);
    this.#ids.set(`${path}@${version}`, this.size);
    this.#stored.push(...(await storedHashes(BigInt(this.size), record, this.#read)));
    this.#records.push(record);
  }

  /** The signed head of the log's first `size` records. */
  async signedHead(size = this.size): Promise<Uint8Array> {
    const tree = { n: BigInt(size), hash: await treeHash(BigInt(size), this.#read) };
    return sign({ text: formatTree(tree) }, newSigner(this.#key.skey));
  }

  /** Answers a GET as SumdbOps.readRemote. */
  async get(path: string, limit: number): Promise<Uint8Array> {
    this.requests.push(path);
    const right = await this.#answer(path).catch(() => undefined);
    const answer = this.tamper(path, right);
    if (answer === undefined) throw new CodedError("sumdb-not-found", "404");
    if (answer.length > limit) throw new CodedError("too-large", "more than asked for");
    return answer;
  }

  async #answer(path: string): Promise<Uint8Array | undefined> {
    if (path === "/latest") return this.signedHead();
    const [, escapedPath = "", escapedVersion = ""] = /^\/lookup\/([^@]+)@([^@]+)$/.exec(path) ?? [];
    if (escapedPath !== "") {
      const id = this.#ids.get(`${unescapePath(escapedPath)}@${unescapeVersion(escapedVersion)}`);
      if (id === undefined) return undefined;
      return Buffer.concat([this.#message(id), await this.signedHead()]);
    }
    const tile = parseTilePath(path.slice(1));
    if (tile.l >= 0) return readTileData(tile, this.#read);
    const start = Number(tile.n) * 2 ** tile.h;
    if (start + tile.w > this.size) return undefined;
    const messages = Array.from({ length: tile.w }, (_, i) => this.#message(start + i));
    return Buffer.concat(messages.map((message) => message.subarray(message.indexOf("\n") + 1)));
  }

  #message(id: number): Buffer {
    return Buffer.from(formatRecord(BigInt(id), this.#records[id] as Uint8Array));
  }
}
