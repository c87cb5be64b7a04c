/** Has caches forget what changes of a module: its list, its latest, and what its queries mean. Files never change. */
export interface Purges {
  /** Returns when it is under way: everywhere within seconds. What fails is made up for by the time to live. */
  purge(module: string): Promise<void>;
}
