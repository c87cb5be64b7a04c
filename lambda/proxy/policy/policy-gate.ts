import { parseRemembered } from "../sources/version-list.ts";
import type { Clock } from "../store/clock.ts";
import { inTurns } from "../store/in-turns.ts";
import type { ModuleVersion } from "../store/layout.ts";
import type { Ruling, RulingStore } from "../store/ruling-store.ts";
import { ServedError } from "../store/served-error.ts";
import { SingleFlight } from "../store/single-flight.ts";
import type { VersionIndex } from "../store/version-index.ts";
import { type Explanation, explanationOf } from "./explanation.ts";
import { judge, refusesBy } from "./judge.ts";
import type { ConfiguredPolicy } from "./policy.ts";

/** Says whether list, latest and queries may name a version. */
export type IsShown = (version: string) => boolean;

export interface PolicyGateParts {
  readonly policy: ConfiguredPolicy;
  /** What is ruled about modules, where anybody can. */
  readonly rulings?: Pick<RulingStore, "ofModule"> | undefined;
  /** What is known of a module, to name a version that may come in instead. */
  readonly index: Pick<VersionIndex, "module">;
  readonly clock: Pick<Clock, "now">;
}

/** Milliseconds for which it is remembered what is ruled about a module, and of how many: a fill judges several times. */
const remembered = { time: 1000, modules: 1000 } as const;

/** How many versions are looked at for one to name instead: the newest that were listed, and as many that are stored. */
const mostKnown = 1000;

/** Lets in what the policy allows, and says what may be named. */
export class PolicyGate {
  readonly #parts: PolicyGateParts;

  readonly #reads = new SingleFlight<readonly Ruling[]>();
  readonly #ruled = new Map<string, { readonly rulings: readonly Ruling[]; readonly until: number }>();

  constructor(parts: PolicyGateParts) {
    this.#parts = parts;
  }

  /** Throws `ServedError` "policy-refused" for a version that may not come in. */
  async check(module: ModuleVersion): Promise<void> {
    const refusal = await this.refusal(module);
    if (refusal !== undefined) throw refusal;
  }

  /** Why a version may not come in; `undefined` where it may. The index is asked for a refusal only. */
  async refusal(module: ModuleVersion): Promise<ServedError | undefined> {
    const { policy, clock } = this.#parts;
    const facts = { ...module, rulings: await this.#rulings(module.path), now: clock.now() };
    if (judge(policy, facts).allowed) return undefined;
    const verdict = judge(policy, { ...facts, known: await this.#known(module.path) });
    return verdict.allowed ? undefined : new ServedError("policy-refused", verdict.lines.join("\n"));
  }

  /** What may be named of a module; `undefined` where that is all of it, so that nobody looks at each version. */
  async shown(path: string): Promise<IsShown | undefined> {
    const { policy, clock } = this.#parts;
    const refuses = refusesBy(policy, { path, rulings: await this.#rulings(path), now: clock.now() });
    return refuses && ((version) => !refuses(version));
  }

  /** All that is said of a module, and of one version where one is named. */
  async explain(path: string, version?: string): Promise<Explanation> {
    const { policy, clock } = this.#parts;
    const [rulings, known] = await Promise.all([this.#rulings(path), this.#known(path)]);
    return explanationOf(policy, { path, version, now: clock.now(), rulings, known });
  }

  async #rulings(path: string): Promise<readonly Ruling[]> {
    const { rulings: store, clock } = this.#parts;
    if (store === undefined) return [];
    const known = this.#ruled.get(path);
    if (known !== undefined && known.until > clock.now()) return known.rulings;
    const until = clock.now() + remembered.time;
    const rulings = await this.#reads.run(path, () => store.ofModule(path));
    if (this.#ruled.size >= remembered.modules) this.#ruled.clear();
    this.#ruled.set(path, { rulings, until });
    return rulings;
  }

  /** Versions that are stored or were listed. A refusal without them says less, and is one all the same. */
  async #known(path: string): Promise<readonly string[]> {
    try {
      const { versions, list } = await this.#parts.index.module(path);
      const { tagged } = await inTurns(parseRemembered(list?.text ?? ""));
      return [...tagged.slice(-mostKnown), ...versions.slice(0, mostKnown).map(({ version }) => version)];
    } catch {
      return [];
    }
  }
}
