/** Zips that somebody waits for: what else is asked of their versions meanwhile is in what a zip is made of. */
export class WantedZips {
  readonly #waiting = new Map<string, number>();

  /** Until it is disposed of, the zip at this path is wanted. */
  add(path: string): Disposable {
    const key = versionOf(path);
    this.#waiting.set(key, (this.#waiting.get(key) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        const left = (this.#waiting.get(key) ?? 1) - 1;
        if (left > 0) this.#waiting.set(key, left);
        else this.#waiting.delete(key);
      },
    };
  }

  /** Whether the zip of the version is wanted that this path is a file of. */
  has(path: string): boolean {
    return this.#waiting.has(versionOf(path));
  }
}

/** `"/example.com/m/@v/v1.0.0"`, of any of its files. */
function versionOf(path: string): string {
  return path.slice(0, path.lastIndexOf("."));
}
