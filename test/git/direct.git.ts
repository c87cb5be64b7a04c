import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { hashGoMod, hashZip } from "../../lambda/golang/dirhash.ts";
import { escapePath, escapeVersion } from "../../lambda/golang/module.ts";
import { isPseudoVersion } from "../../lambda/golang/pseudo.ts";
import { UpstreamFailure } from "../../lambda/proxy/sources/upstream.ts";
import { whole } from "../../lambda/upstream/git/attributes/whole.ts";
import type { DirectUpstream } from "../../lambda/upstream/git/module/direct-upstream.ts";
import { directOver } from "../support/direct-upstream.ts";
import { hasGit, RepositoryScript, scratch } from "../support/git-repository.ts";
import { startGitServer } from "../support/git-server.ts";
import { skipWithoutGo } from "../support/go-command.ts";
import { GoDirect, type GoDownload } from "../support/go-direct.ts";
import { temporaryFile } from "../support/zip-file.ts";
import { folderRows } from "./rows/folders.ts";
import { historyRows, retractionRows } from "./rows/histories.ts";
import { majorRows } from "./rows/majors.ts";
import type { Row } from "./rows/row.ts";
import { tagRows } from "./rows/tags.ts";
import { attributeRows, zipRows } from "./rows/zips.ts";

// The oracle: what the real go command makes of a repository with GOPROXY=direct, and what modfront makes of it.

const rows = [...tagRows, ...majorRows, ...folderRows, ...historyRows, ...retractionRows, ...zipRows, ...attributeRows];
const wanted = process.env.GIT_ROWS ?? "";
const heavy = process.env.GIT_HEAVY === "1";
const chosen = rows.filter(({ rule, heavy: isHeavy }) => rule.includes(wanted) && (heavy || isHeavy !== true));

const folder = scratch("direct");
for (const name of ["repos", "go", "ours"]) mkdirSync(join(folder, name));
const server = await startGitServer(join(folder, "repos"));
const go = new GoDirect(join(folder, "go"), { insteadOf: { "https://example.com/": `${server.url}/` } });
const direct = directOver(join(folder, "ours"), server.url);
const counts = { repositories: 0, modules: 0, questions: 0, refusals: 0 };
after(async () => {
  await direct.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
  console.log(
    `${counts.repositories} repositories, ${counts.modules} modules, ${counts.questions} questions, ${counts.refusals} of them refused by both`,
  );
});

const skip = hasGit ? skipWithoutGo : "git is not installed";

describe("repositories are to modfront what they are to go", { skip, concurrency: 3 }, () => {
  for (const row of chosen) test(row.rule, { timeout: 900_000 }, () => compareRow(row));
});

async function compareRow(row: Row): Promise<void> {
  const name = createHash("sha256").update(row.rule).digest("hex").slice(0, 10);
  const script = new RepositoryScript();
  const path = `example.com/${name}.git`;
  const asks = row.repository(script, path);
  const id = script.build(join(folder, "repos", name));
  counts.repositories++;
  for (const [suffix, queries] of Object.entries(asks)) {
    counts.modules++;
    await compareLists(path + suffix);
    for (const query of queries) await compare(path + suffix, typeof query === "string" ? query : query(id));
  }
}

async function compareLists(module: string): Promise<void> {
  const [theirs, ours] = await Promise.all([
    go.versions(module),
    answer(direct.upstream, `/${escapePath(module)}/@v/list`),
  ]);
  counts.questions++;
  const versions = typeof ours === "string" ? `refused: ${ours}` : ours.toString().split("\n").slice(0, -1);
  if (typeof theirs === "string")
    assert.ok(
      typeof versions === "string" || versions.length === 0,
      `go has no list: ${theirs}, modfront has ${versions}`,
    );
  else assert.deepEqual(versions, theirs, `versions of ${module}`);
}

/** What modfront answers; the text of a 404. */
async function answer(upstream: DirectUpstream, path: string): Promise<Buffer | string> {
  try {
    return await whole((await upstream.get(path, { limit: 600 << 20 })).chunks);
  } catch (error) {
    if (error instanceof UpstreamFailure && error.details?.status === 404) return error.details.text ?? "";
    throw error;
  }
}

async function compare(module: string, query: string): Promise<void> {
  const what = `${module}@${query}`;
  const base = `/${escapePath(module)}/@v`;
  const isLatest = query === "latest";
  const asked = isLatest ? `/${escapePath(module)}/@latest` : `${base}/${escapeVersion(query)}.info`;
  const [theirs, ours] = await Promise.all([go.download(what), answer(direct.upstream, asked)]);
  counts.questions++;
  if (process.env.GIT_SHOW === "1") console.log(what, theirs.Error ?? theirs.Version, "|", ours.toString());
  // Where there are tags go answers latest out of its list, as modfront's own use-case does.
  if (isLatest && theirs.Version !== undefined && !isPseudoVersion(theirs.Version)) return;
  if (typeof ours === "string" || theirs.Error !== undefined) return compareRefusals(what, theirs, ours);
  const info = JSON.parse(ours.toString());
  assert.equal(info.Version, theirs.Version, `version of ${what}`);
  if (info.Version !== query && !isLatest) assert.deepEqual(info.Origin, theirs.Origin, `origin of ${what}`);
  await compareFiles(module, `${base}/${escapeVersion(info.Version)}`, theirs);
}

async function compareRefusals(what: string, theirs: GoDownload, ours: Buffer | string): Promise<void> {
  if (typeof ours === "string") {
    assert.ok(theirs.Error !== undefined, `modfront refuses ${what}: ${ours}`);
    counts.refusals++;
    return;
  }
  // go resolves and downloads in one go: what it can say of a version may be of its zip only.
  const { Version } = JSON.parse(ours.toString());
  const zip = await answer(
    direct.upstream,
    `/${escapePath(what.slice(0, what.indexOf("@")))}/@v/${escapeVersion(Version)}.zip`,
  );
  assert.ok(typeof zip === "string", `go refuses ${what}: ${theirs.Error}`);
  counts.refusals++;
}

/** Versions whose files were found to be the same. */
const compared = new Set<string>();

async function compareFiles(
  module: string,
  base: string,
  theirs: Awaited<ReturnType<typeof go.download>>,
): Promise<void> {
  const what = `${module}@${theirs.Version}`;
  if (compared.has(what)) return;
  compared.add(what);
  const [info, goMod, zip] = [
    await answer(direct.upstream, `${base}.info`),
    await answer(direct.upstream, `${base}.mod`),
    await answer(direct.upstream, `${base}.zip`),
  ];
  // Behind another query go keeps what it found there; what it says of a version is what it answers to its name.
  const exact = theirs.Query === undefined ? theirs.info : (await go.download(what)).info;
  assert.equal(info.toString(), exact, `.info of ${what}`);
  assert.ok(typeof goMod !== "string" && typeof zip !== "string", `${what}: ${goMod} ${zip.toString().slice(0, 200)}`);
  assert.deepEqual(goMod, theirs.mod, `.mod of ${what}`);
  assert.equal(hashGoMod(goMod), theirs.GoModSum, `go.sum of the go.mod of ${what}`);
  assert.equal(await hashZip(temporaryFile(zip)), theirs.Sum, `go.sum of ${what}`);
}
