/** A module of which something is stored. */
export interface CataloguedModule {
  readonly module: string;
  /** How many of its versions are stored. */
  readonly versions: number;
}

/**
 * What is stored, for people who look around: never asked on the way to a module.
 *
 * Reads see every version that was added before they began. Neither method returns more than it is asked for, nor looks
 * at more than that many modules or versions. Failures of the medium are `ServedError` "store-failed".
 */
export interface ModuleCatalogue {
  /** The first `limit` modules whose path is not before `from`, in the byte order of their paths. */
  modules(from: string, limit: number): Promise<readonly CataloguedModule[]>;

  /** At most `limit` stored versions of a module, in no particular order. */
  versions(module: string, limit: number): Promise<readonly string[]>;
}
