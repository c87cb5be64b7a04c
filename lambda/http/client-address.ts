/**
 * Whose share of the work it is that comes from an address: of IPv6 the first 64 bits, because whoever has one address has
 * all of these. `"2001:db8::1"` becomes `"2001:db8:0:0"`.
 */
export function clientAddress(remote: string): string {
  if (!remote.includes(":") || remote.startsWith("::ffff:")) return remote;
  const [head = "", tail] = remote.split("::");
  const [before, behind] = [groups(head), groups(tail ?? "")];
  const between = Array.from({ length: Math.max(0, 8 - before.length - behind.length) }, () => "0");
  return [...before, ...between, ...behind].slice(0, 4).join(":");
}

function groups(text: string): readonly string[] {
  return text === "" ? [] : text.split(":");
}
