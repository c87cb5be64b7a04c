/** Milliseconds between two lines of progress. */
const interval = 100;

/** Shows how much of `total` bytes is sent, each time in place of what was shown before. */
export function progressOf(total: number, show: (line: string) => void): (bytes: number) => void {
  let shown = Number.NEGATIVE_INFINITY;
  return (bytes) => {
    const now = performance.now();
    if (now - shown < interval && bytes < total) return;
    shown = now;
    show(`${megabytes(bytes)} of ${megabytes(total)} MB, ${Math.floor((bytes * 100) / Math.max(1, total))} %`);
  };
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1);
}
