/**
 * Does `work` and returns the longest turn of this thread's event loop meanwhile, in milliseconds of processor time.
 *
 * Processor time of this one thread: while the machine is busy with others, and while other threads of this process work
 * or collect garbage, it stands still, so that the same turn is as long on a loaded machine as on an idle one.
 */
export async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = process.threadCpuUsage();
  let next: NodeJS.Immediate;
  const turn = () => {
    const { user, system } = process.threadCpuUsage(last);
    longest = Math.max(longest, user + system);
    last = process.threadCpuUsage();
    next = setImmediate(turn);
  };
  next = setImmediate(turn);
  try {
    await work();
    // What ended with the work ends the turn after it at the latest.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  } finally {
    clearImmediate(next);
  }
  return longest / 1000;
}
