import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** False where there is no git, and tests that need one are skipped. */
export const hasGit = (() => {
  try {
    return execFileSync("git", ["version"], { encoding: "utf8" }).startsWith("git version");
  } catch {
    return false;
  }
})();

/** What a commit has at a path; nothing removes it. */
export type Content = string | Uint8Array | { readonly link: string } | { readonly module: string } | undefined;

/** An object of a repository that is not built yet. */
export interface Mark {
  readonly mark: number;
  /** Of a commit, the committer's. */
  readonly time: number;
}

export interface CommitOptions {
  readonly on?: string;
  /** Default: the last commit on the branch. */
  readonly parents?: readonly Mark[];
  /** Seconds since 1970; default: a minute after the one before. */
  readonly time?: number;
  readonly zone?: string;
  /** The files are all there are, not changes to the parent's. */
  readonly whole?: boolean;
}

/** Where no configuration of this machine is read, and no hook or prompt waits. */
const environment = {
  ...process.env,
  ...{ GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null", GIT_ATTR_NOSYSTEM: "1", GIT_TERMINAL_PROMPT: "0" },
  ...{ GIT_COMMITTER_NAME: "C", GIT_COMMITTER_EMAIL: "c@example.com", GIT_COMMITTER_DATE: "1600000000 +0000" },
};

/** Runs git in a folder; its output. */
export function git(folder: string, args: readonly string[], input?: string | Uint8Array): Buffer {
  const stdio = ["pipe", "pipe", "pipe"] as const;
  return execFileSync("git", args, {
    cwd: folder,
    env: environment,
    input: input ?? "",
    stdio: [...stdio],
    maxBuffer: 1 << 30,
  });
}

/** Writes down what a repository is to have, and builds it with one `git fast-import`. */
export class RepositoryScript {
  objectFormat = "sha1";
  readonly #pieces: Uint8Array[] = [];
  readonly #tips = new Map<string, Mark>();
  readonly #after: (readonly (string | Mark)[])[] = [];
  #marks = 0;
  #time = 1_600_000_000;

  /** A commit on a branch, `"main"` unless another is named. */
  commit(files: Readonly<Record<string, Content>> = {}, options: CommitOptions = {}): Mark {
    const { on = "main", zone = "+0000", whole = false } = options;
    const tip = this.#tips.get(on);
    const parents = options.parents ?? (tip === undefined ? [] : [tip]);
    this.#time = options.time ?? this.#time + 60;
    const mark = { mark: ++this.#marks, time: this.#time };
    if (parents.length === 0) this.#write(`reset refs/heads/${on}\n\n`);
    this.#write(`commit refs/heads/${on}\nmark :${mark.mark}\n`);
    // The author's time is another one: it is the committer's that counts.
    this.#write(`author A <a@example.com> ${this.#time - 86_400} +0000\n`);
    this.#write(`committer C <c@example.com> ${this.#time} ${zone}\n`);
    this.#data("a commit");
    parents.forEach((parent, i) => {
      this.#write(`${i === 0 ? "from" : "merge"} :${parent.mark}\n`);
    });
    if (whole) this.#write("deleteall\n");
    for (const [path, content] of Object.entries(files)) this.#change(path, content);
    this.#write("\n");
    this.#tips.set(on, mark);
    return mark;
  }

  /** A tag on a commit, by default the last on main. */
  tag(name: string, at?: Mark): void {
    this.#write(`reset refs/tags/${name}\nfrom :${(at ?? this.#tip()).mark}\n\n`);
  }

  /** A tag with an object of its own, which may point at another such. */
  annotate(name: string, at?: Mark): Mark {
    const mark = { mark: ++this.#marks, time: this.#time };
    this.#write(`tag ${name}\nmark :${mark.mark}\nfrom :${(at ?? this.#tip()).mark}\n`);
    this.#write(`tagger T <t@example.com> ${this.#time + 7} +0000\n`);
    this.#data("a tag");
    return mark;
  }

  blob(content: string | Uint8Array): Mark {
    const mark = { mark: ++this.#marks, time: this.#time };
    this.#write(`blob\nmark :${mark.mark}\n`);
    this.#data(content);
    return mark;
  }

  /** Runs git once everything is there, with ids for marks. */
  afterwards(...args: readonly (string | Mark)[]): void {
    this.#after.push(args);
  }

  /** The id of each mark. */
  build(folder: string, objectFormat = this.objectFormat): (mark: Mark) => string {
    git(tmpdir(), ["init", "-q", "--bare", "-b", "main", `--object-format=${objectFormat}`, folder]);
    return this.into(folder);
  }

  /** The same in a repository that is there. */
  into(folder: string): (mark: Mark) => string {
    const marks = join(folder, "marks");
    git(folder, ["fast-import", "--quiet", "--force", `--export-marks=${marks}`], Buffer.concat(this.#pieces));
    const rows = readFileSync(marks, "utf8").matchAll(/^:(\d+) ([0-9a-f]+)$/gm);
    const ids = new Map([...rows].map(([, mark, id]) => [Number(mark), id ?? ""]));
    const idOf = ({ mark }: Mark) => ids.get(mark) ?? "";
    for (const args of this.#after)
      git(
        folder,
        args.map((arg) => (typeof arg === "string" ? arg : idOf(arg))),
      );
    return idOf;
  }

  #tip(): Mark {
    const tip = this.#tips.get("main");
    if (tip === undefined) throw new Error("there is no commit on main");
    return tip;
  }

  #change(path: string, content: Content): void {
    const name = `"${Buffer.from(path, "utf8")
      .toString("latin1")
      .replace(/[^ !#-[\]-~]/g, octal)}"`;
    if (content === undefined) this.#write(`D ${name}\n`);
    else if (typeof content === "string" || content instanceof Uint8Array) {
      this.#write(`M 100644 inline ${name}\n`);
      this.#data(content);
    } else if ("link" in content) {
      this.#write(`M 120000 inline ${name}\n`);
      this.#data(content.link);
    } else this.#write(`M 160000 ${content.module} ${name}\n`);
  }

  #data(content: string | Uint8Array): void {
    const bytes = Buffer.from(content as string);
    this.#write(`data ${bytes.length}\n`);
    this.#pieces.push(bytes);
    this.#write("\n");
  }

  #write(text: string): void {
    this.#pieces.push(Buffer.from(text));
  }
}

function octal(character: string): string {
  return `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`;
}

/** A folder for what a test builds; it stays until the machine's next start. */
export function scratch(name: string): string {
  return mkdtempSync(join(tmpdir(), `modfront-${name}-`));
}
