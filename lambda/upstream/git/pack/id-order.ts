/** Below, at or above 0 as the `length` bytes at `i` of `left` come before, equal or follow those at `j` of `right`. */
export function compareIds(left: Uint8Array, i: number, right: Uint8Array, j: number, length: number): number {
  for (let k = 0; k < length; k++) {
    const difference = (left[i + k] ?? 0) - (right[j + k] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The numbers of `count` ids, which stand one after the other in `ids`, in the order of the ids. */
export function idOrder(ids: Uint8Array, count: number, length: number): Uint32Array {
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  return order.sort((a, b) => compareIds(ids, a * length, ids, b * length, length));
}
