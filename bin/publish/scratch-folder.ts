import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** A folder of this process alone, which is gone with it however that ends, but for kill -9. */
export class ScratchFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "modfront-publish-"));
  readonly #onSignal = (signal: keyof typeof signals) => {
    this[Symbol.dispose]();
    process.exit(signals[signal]);
  };

  constructor() {
    for (const signal of Object.keys(signals)) process.once(signal, this.#onSignal);
  }

  [Symbol.dispose](): void {
    for (const signal of Object.keys(signals)) process.off(signal, this.#onSignal);
    rmSync(this.path, { recursive: true, force: true });
  }
}
