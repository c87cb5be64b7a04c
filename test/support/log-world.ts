import { generateKey, newSigner, newVerifier, open } from "../../lambda/golang/note.ts";
import { parseTree, type Tree } from "../../lambda/golang/tlog.ts";
import { OwnLog } from "../../lambda/proxy/log/own-log.ts";
import { OwnLogReads } from "../../lambda/proxy/log/own-log-reads.ts";
import { usualPace } from "../../lambda/proxy/log/pace.ts";
import type { Clock } from "../../lambda/proxy/store/clock.ts";
import type { LogSigner } from "../../lambda/proxy/store/log-signer.ts";
import type { LogStore, PendingRecords, SignedHeads } from "../../lambda/proxy/store/log-store.ts";
import type { ModuleStore } from "../../lambda/proxy/store/module-store.ts";
import { MemoryModuleStore } from "./memory-adapters.ts";
import { MemoryLog } from "./memory-log-store.ts";

/** A signer with a new key, and how often it signed. */
export class TestSigner implements LogSigner {
  readonly name: string;
  readonly keyHash: number;
  readonly verifierKey: string;
  readonly signed: string[] = [];
  readonly #sign: (message: Uint8Array) => Uint8Array | Promise<Uint8Array>;

  constructor(name = "1a2b3c4d.modfront") {
    const { skey, vkey } = generateKey(name);
    const signer = newSigner(skey);
    this.name = name;
    this.keyHash = signer.keyHash;
    this.verifierKey = vkey;
    this.#sign = (message) => signer.sign(message);
  }

  async sign(message: Uint8Array): Promise<Uint8Array> {
    const signature = await this.#sign(message);
    this.signed.push(Buffer.from(message).toString());
    return signature;
  }
}

/** Pauses that take a turn of the event loop. */
const hurried: Pick<Clock, "sleep"> = {
  sleep: () => new Promise((resolve) => setImmediate(resolve)),
};

/** A log over memory, and as many processes on it as a test opens. */
export class LogWorld {
  readonly memory = new MemoryLog();
  readonly files = new MemoryModuleStore();
  readonly signer = new TestSigner();
  readonly verifier = newVerifier(this.signer.verifierKey);

  /** The log as another process has it. */
  open({
    store = this.memory as LogStore,
    pending = this.memory as PendingRecords,
    heads = this.memory as SignedHeads,
    files = this.files as ModuleStore,
    signer = this.signer as LogSigner,
    clock = hurried,
    pace = usualPace,
    copies = false,
  } = {}): OwnLog {
    return new OwnLog({ store, pending, heads, files, signer, clock, pace, copies });
  }

  reads({ store = this.memory as LogStore, files = this.files as ModuleStore } = {}): OwnLogReads {
    const { verifierKey } = this.signer;
    return new OwnLogReads({ store, heads: this.memory, files, verifierKey, clock: hurried });
  }

  /** The tree of the newest signed head, its signature verified. */
  async signedTree(): Promise<Tree | undefined> {
    const head = await this.memory.read(this.signer.name);
    return head && parseTree(open(head.note, [this.verifier]).text);
  }
}
