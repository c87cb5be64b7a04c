import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makePublication, type Publication } from "../../bin/publish/publication.ts";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import { hashGoMod, hashZip } from "../../lambda/golang/dirhash.ts";
import { canonicalVersion, escapePath, escapeVersion } from "../../lambda/golang/module.ts";
import { isPseudoVersion } from "../../lambda/golang/pseudo.ts";
import { UpstreamFailure } from "../../lambda/proxy/sources/upstream.ts";
import { whole } from "../../lambda/upstream/git/attributes/whole.ts";
import { modulePlace } from "../../lambda/upstream/git/module/module-place.ts";
import type { Row } from "../git/rows/row.ts";
import { directOver } from "./direct-upstream.ts";
import { RepositoryScript } from "./git-repository.ts";
import { startGitServer } from "./git-server.ts";
import { temporaryFile } from "./zip-file.ts";

/** What came of a tag: both give the same hashes, both refuse, or only publishing does, and why. */
export type Outcome = "same" | "refused" | "no go.mod" | "go.mod of another path" | "go.mod that changes";

/** What publishing refuses although `direct` has it. */
const deviations: readonly (readonly [said: RegExp, Outcome])[] = [
  [/a module without one is not published/, "no go.mod"],
  [/has a suffix that no module with a go\.mod has/, "no go.mod"],
  [/its \.gitattributes change go\.mod/, "go.mod that changes"],
  [/is that of gopkg\.in\/x\.v3, which has no version/, "go.mod of another path"],
];

/** Compares what `publish --tag` makes of repositories with what `direct` answers of the same, behind git's own server. */
export class PublishedRows implements AsyncDisposable {
  readonly #folder: string;
  readonly #server: Awaited<ReturnType<typeof startGitServer>>;
  readonly #direct: ReturnType<typeof directOver>;

  private constructor(folder: string, server: Awaited<ReturnType<typeof startGitServer>>) {
    this.#folder = folder;
    this.#server = server;
    this.#direct = directOver(join(folder, "direct"), server.url);
  }

  static async open(folder: string): Promise<PublishedRows> {
    for (const name of ["repositories", "direct"]) mkdirSync(join(folder, name));
    return new PublishedRows(folder, await startGitServer(join(folder, "repositories")));
  }

  /** What came of each version that the row asks for by a tag. */
  async compare(row: Row): Promise<readonly Outcome[]> {
    const name = createHash("sha256").update(row.rule).digest("hex").slice(0, 10);
    const root = `example.com/${name}.git`;
    const script = new RepositoryScript();
    const asks = row.repository(script, root);
    const repository = join(this.#folder, "repositories", name);
    script.build(repository);
    const outcomes: Outcome[] = [];
    for (const [suffix, queries] of Object.entries(asks)) {
      const versions = queries.filter((each) => typeof each === "string").filter(isPublished);
      for (const version of versions) outcomes.push(await this.#compare(repository, root, suffix, version));
    }
    return outcomes;
  }

  async #compare(repository: string, root: string, suffix: string, version: string): Promise<Outcome> {
    const { tagPrefix } = modulePlace({ root, directory: "" }, root + suffix);
    const output = join(this.#folder, "output");
    mkdirSync(output);
    try {
      const made = await publish({ directory: repository, tag: tagPrefix + version }, output);
      const path = typeof made === "string" ? root + suffix : made.module.path;
      // A fork, say, under the name of what it was forked from.
      if (!path.startsWith(root)) return "go.mod of another path";
      const what = `${path}@${version}`;
      const [zip, goMod] = await this.#files(path, version);
      if (typeof zip === "string") {
        assert.ok(typeof made === "string", `direct refuses ${what}: ${zip}`);
        return "refused";
      }
      const refusal = typeof made === "string" ? deviations.find(([said]) => said.test(made))?.[1] : undefined;
      assert.ok(typeof made === "object" || refusal !== undefined, `publish refuses ${what}: ${made}`);
      if (refusal === undefined || refusal === "go.mod that changes") {
        assert.equal(await hashZip(join(output, "module.zip")), await hashZip(temporaryFile(zip)), what);
      }
      if (typeof made === "object") assert.equal(made.goModSum, hashGoMod(Buffer.from(goMod)), what);
      return refusal ?? "same";
    } finally {
      rmSync(output, { recursive: true });
    }
  }

  #files(path: string, version: string): Promise<readonly [zip: Buffer | string, goMod: Buffer | string]> {
    const base = `/${escapePath(path)}/@v/${escapeVersion(version)}`;
    return Promise.all([this.#answer(`${base}.zip`), this.#answer(`${base}.mod`)]);
  }

  /** What `direct` answers; the text of a 404. */
  async #answer(path: string): Promise<Buffer | string> {
    try {
      return await whole((await this.#direct.upstream.get(path, { limit: 600 << 20 })).chunks);
    } catch (error) {
      if (error instanceof UpstreamFailure && error.details?.status === 404) return error.details.text ?? "";
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#direct.close();
    await this.#server.close();
  }
}

function isPublished(query: string): boolean {
  return canonicalVersion(query) === query && !isPseudoVersion(query);
}

/** What is published, or why not. */
async function publish(wanted: { directory: string; tag: string }, output: string): Promise<Publication | string> {
  try {
    return await makePublication(wanted, process.env, output);
  } catch (error) {
    if (error instanceof CodedError) return error.message;
    throw error;
  }
}
