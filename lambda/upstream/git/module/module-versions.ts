import { isCodedError } from "../../../golang/coded-error.ts";
import { canonicalVersion, matchPathMajor } from "../../../golang/module.ts";
import { isPseudoVersion, pseudoVersion, pseudoVersionRev } from "../../../golang/pseudo.ts";
import { build, compare, isValid, major } from "../../../golang/semver.ts";
import { stepsPerTurn } from "../../../golang/steps.ts";
import type { IsRetracted } from "../../../proxy/sources/retracted-versions.ts";
import { eachInTurns, nextTurn } from "../../../proxy/store/in-turns.ts";
import { Absence, invalidVersion } from "../discovery/absence.ts";
import type { Code } from "./code.ts";
import { type FoundModule, findModule, join } from "./go-mod.ts";
import { type ModuleInfo, moduleInfo } from "./module-info.ts";
import type { ModulePlace } from "./module-place.ts";
import { checkPseudoVersion } from "./pseudo-check.ts";
import { retractions } from "./retractions.ts";
import { findHead, findRevision, type Revision } from "./revision.ts";
import { type Tag, tagsWith, versionOfTag } from "./tags.ts";
import { taggedVersions } from "./versions.ts";

const incompatible = "+incompatible";

/** Answers what is asked about one module, by the rules of codeRepo in cmd/go/internal/modfetch/coderepo.go. */
export class ModuleVersions {
  readonly #code: Code;
  readonly #place: ModulePlace;

  constructor(code: Code, place: ModulePlace) {
    this.#code = code;
    this.#place = place;
  }

  /** What is tagged, in semver order. */
  list(): Promise<readonly string[]> {
    return taggedVersions(this.#code, this.#place);
  }

  /** The version of the commit at HEAD. Throws `Absence`. */
  async latest(): Promise<ModuleInfo> {
    return this.#version(await findHead(this.#code), "");
  }

  /** The version that a query stands for: a version, a tag, a branch, a hash. Throws `Absence`. */
  async info(query: string): Promise<ModuleInfo> {
    if (query === "latest") return this.latest();
    try {
      return await this.#version(await findRevision(this.#code, this.#revisionOf(query)), query);
    } catch (error) {
      throw isCodedError(error, "absent")
        ? new Absence(`${this.#place.path}@${query}: ${error.message}`, { cause: error })
        : error;
    }
  }

  /** Where the module is in the version's commit. Throws `Absence`. */
  find({ version, revision }: ModuleInfo): Promise<FoundModule> {
    return findModule(this.#code, this.#place, revision.commit.id, { version, revision: this.#revisionOf(version) });
  }

  /** What a version is called in the repository. */
  #revisionOf(version: string): string {
    if (!isValid(version)) return version;
    if (isPseudoVersion(version)) return pseudoVersionRev(version);
    return this.#place.tagPrefix + (build(version) === incompatible ? version.slice(0, -incompatible.length) : version);
  }

  async #version(revision: Revision, asked: string): Promise<ModuleInfo> {
    const choice = new VersionChoice({ code: this.#code, place: this.#place, revision, asked });
    const version = await choice.choose();
    const checked = await choice.check(version, this.#revisionOf(version));
    const info = await moduleInfo({ code: this.#code, place: this.#place, revision }, checked, asked);
    if (isPseudoVersion(asked)) await checkPseudoVersion(this.#code, this.#place, revision, asked);
    return info;
  }
}

interface Subject {
  readonly code: Code;
  readonly place: ModulePlace;
  readonly revision: Revision;
  /** What was asked for; empty for the latest. */
  readonly asked: string;
}

/** Chooses the version of one commit. */
class VersionChoice {
  readonly #subject: Subject;
  /** By major version, and `""` for the root. */
  readonly #goMods = new Map<string, boolean>();
  #retracted: Promise<IsRetracted> | undefined;

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  /** The version by which the commit goes, not checked yet. */
  async choose(): Promise<string> {
    const { place, revision, asked } = this.#subject;
    if (isPseudoVersion(asked)) return asked;
    const named = revision.tag === undefined ? undefined : versionOfTag(revision.tag, place.tagPrefix);
    if (named?.isCanonical === true && (await this.#isValid(named.version))) return named.version;
    return this.#chooseFromTags();
  }

  async #chooseFromTags(): Promise<string> {
    const { place, revision, asked } = this.#subject;
    let highest = "";
    let base = "";
    let isRetracted: IsRetracted | undefined;
    for (const [i, tag] of revision.tags.entries()) {
      if (i % stepsPerTurn === stepsPerTurn - 1) await nextTurn();
      const tagged = versionOfTag(tag, place.tagPrefix);
      if (tagged === undefined) continue;
      const { version, isCanonical } = tagged;
      if (asked !== "" && compare(version, asked) === 0) {
        if (isCanonical) return version;
        // What has build metadata too is no version by itself: several such tags may be on several commits.
        base = version;
      }
      if (!isCanonical || compare(highest, version) >= 0) continue;
      isRetracted ??= await this.#retractions();
      if (!isRetracted(version) && (this.#fits(version) || (await this.#mayBeIncompatible(version)))) highest = version;
    }
    if (highest !== "") return highest;
    if (base === "") base = await this.#highestBefore();
    const time = new Date(revision.commit.time * 1000);
    return pseudoVersion(place.major, base, time, revision.short);
  }

  /** The highest version that is tagged on the commit or before it, or empty. */
  async #highestBefore(): Promise<string> {
    const { code, place, revision } = this.#subject;
    const allowed: Tag[] = [];
    const own: Tag[] = [];
    // Waited for once, and not for each of what may be 100,000 tags.
    let isRetracted: IsRetracted | undefined;
    for (const [i, tag] of (await tagsWith(code.refs, `${place.tagPrefix}v`)).entries()) {
      if (i % stepsPerTurn === stepsPerTurn - 1) await nextTurn();
      const version = versionOfTag(tag.name, place.tagPrefix)?.version;
      if (version === undefined) continue;
      isRetracted ??= await this.#retractions();
      if (isRetracted(version) || !(this.#fits(version) || (await this.#mayBeIncompatible(version)))) continue;
      allowed.push(tag);
      if (tag.target === revision.commit.id) own.push(tag);
    }
    if (allowed.length === 0) return "";
    // go looks at the commit alone first, and at what came before only where it has no tag that will do.
    return own.length > 0 ? this.#highest(own) : this.#highest(await this.#before(allowed));
  }

  async #before(tags: readonly Tag[]): Promise<readonly Tag[]> {
    const { code, revision } = this.#subject;
    const history = await code.history();
    const targets = new Set<string>();
    await eachInTurns(tags, ({ target }) => targets.add(target));
    const ancestors = await history.ancestorsAmong(targets, revision.commit.id);
    const found: Tag[] = [];
    await eachInTurns(tags, (tag) => {
      if (ancestors.has(tag.target)) found.push(tag);
    });
    return found;
  }

  async #highest(tags: readonly Tag[]): Promise<string> {
    const { tagPrefix } = this.#subject.place;
    let highest = "";
    await eachInTurns(tags, ({ name }) => {
      const version = name.slice(tagPrefix.length);
      if (compare(version, highest) > 0) highest = version;
    });
    return versionOfTag(tagPrefix + highest, tagPrefix)?.version ?? "";
  }

  #retractions(): Promise<IsRetracted> {
    const { code, place } = this.#subject;
    this.#retracted ??= retractions(code, place);
    return this.#retracted;
  }

  #fits(version: string): boolean {
    return matchPathMajor(version, this.#subject.place.pathMajor);
  }

  async #isValid(version: string): Promise<boolean> {
    try {
      await this.check(version, this.#subject.place.tagPrefix + version);
      return true;
    } catch (error) {
      if (isCodedError(error, "absent")) return false;
      throw error;
    }
  }

  /** The version as it is called in full: with `+incompatible` where it must be. Throws `Absence`. */
  async check(chosen: string, revisionName: string): Promise<string> {
    const { code, place, revision, asked } = this.#subject;
    const { id } = revision.commit;
    await findModule(code, place, id, { version: chosen, revision: revisionName });
    const version = chosen === withoutIncompatible(asked) ? asked : chosen;
    const base = withoutIncompatible(version);
    const fits = this.#fits(base);
    const mayBe = !fits && (await this.#mayBeIncompatible(base));
    if (asked !== "" && asked === canonicalVersion(asked) && withoutIncompatible(asked) !== base) {
      throw invalidVersion(asked, `resolves to version ${version} (${withoutIncompatible(asked)} is not a tag)`);
    }
    if (fits && version !== base) {
      throw invalidVersion(version, `+incompatible suffix not allowed: major version ${major(version)} is compatible`);
    }
    if (fits || mayBe) return mayBe ? base + incompatible : version;
    if (place.pathMajor !== "") {
      throw invalidVersion(version, "module path includes a major version suffix, so major version must match");
    }
    const right = join(place.pathPrefix, major(version));
    throw invalidVersion(
      version,
      `module contains a go.mod file, so module path must match major version ("${right}")`,
    );
  }

  /** Without any go.mod a module may have versions from v2 on under its plain path. */
  async #mayBeIncompatible(version: string): Promise<boolean> {
    const { place, asked } = this.#subject;
    if (place.directory !== "" || place.pathMajor !== "" || (await this.#hasGoMod(""))) return false;
    // Somebody may depend on one that was made before go looked into the folder too, and then asks for it by its full name.
    return asked.endsWith(incompatible) || !(await this.#hasGoMod(major(version)));
  }

  async #hasGoMod(directory: string): Promise<boolean> {
    const { code, revision } = this.#subject;
    const known =
      this.#goMods.get(directory) ?? (await code.file(revision.commit.id, join(directory, "go.mod"))) !== undefined;
    this.#goMods.set(directory, known);
    return known;
  }
}

function withoutIncompatible(version: string): string {
  return version.endsWith(incompatible) ? version.slice(0, -incompatible.length) : version;
}
