/**
 * Every write boundary of the local adapters, in pairs: before nothing has happened, after it has and only the answer
 * is outstanding. A test hands an adapter a function that ends the process (or throws) at one of them.
 */
export const failpoints = [
  "store.create.before",
  "store.create.written",
  "store.create.linked",
  "store.create.after",
  "store.remove.before",
  "store.remove.removed",
  "store.remove.after",
  "index.addVersion.before",
  "index.addVersion.after",
  "index.setFlag.before",
  "index.setFlag.after",
  "index.removeVersion.before",
  "index.removeVersion.after",
  "index.remember.before",
  "index.remember.after",
  "lease.acquire.before",
  "lease.acquire.after",
  "lease.renew.before",
  "lease.renew.after",
  "lease.release.before",
  "lease.release.after",
  "head.replace.before",
  "head.replace.after",
  "claim.claim.before",
  "claim.claim.after",
  "log.commit.before",
  "log.commit.written",
  "log.commit.after",
  "pending.add.before",
  "pending.add.after",
  "pending.remove.before",
  "pending.remove.after",
  "signed.grow.before",
  "signed.grow.after",
  "credential.set.before",
  "credential.set.after",
  "credential.remove.before",
  "credential.remove.after",
  "ruling.set.before",
  "ruling.set.after",
  "ruling.remove.before",
  "ruling.remove.after",
  "audit.write.before",
  "audit.write.after",
  "index.migrate.before",
  "index.migrate.written",
  "index.migrate.after",
  "reindex.batch.after",
  "reindex.built",
  "reindex.aside",
  "reindex.replaced",
] as const;

export type FailpointName = (typeof failpoints)[number];

/** Called at each write boundary; in production it does nothing. */
export type Failpoint = (name: FailpointName) => void;

/** What adapters use when they are given no failpoint. */
export const noFailpoint: Failpoint = () => {};
