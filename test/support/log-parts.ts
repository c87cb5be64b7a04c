import type { LogStore, PendingRecords } from "../../lambda/proxy/store/log-store.ts";

/** Both interfaces in one, as the contract suite wants them: a commit takes off what waits. */
export function together(log: LogStore, pending: PendingRecords): LogStore & PendingRecords {
  return {
    head: () => log.head(),
    commit: (commit) => log.commit(commit),
    numbers: (modules) => log.numbers(modules),
    rows: (places) => log.rows(places),
    range: (level, from, to) => log.range(level, from, to),
    add: (records) => pending.add(records),
    first: (limit) => pending.first(limit),
    remove: (modules) => pending.remove(modules),
  };
}
