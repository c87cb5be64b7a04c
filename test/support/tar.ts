/** The regular files of a tar as git writes them, contents as byte strings. */
export function tarFiles(tar: Buffer): Map<string, string> {
  const files = new Map<string, string>();
  let longName: string | undefined;
  for (let at = 0; at + 512 <= tar.length; ) {
    const field = (start: number, length: number) =>
      tar.toString("utf8", at + start, at + start + length).replace(/\0[\s\S]*$/, "");
    if (tar[at] === 0) break;
    const size = Number.parseInt(field(124, 12), 8);
    const type = field(156, 1);
    const content = tar.subarray(at + 512, at + 512 + size);
    if (type === "x") longName = /\d+ path=([^\n]*)\n/.exec(content.toString())?.[1];
    else {
      const name = longName ?? [field(345, 155), field(0, 100)].filter((part) => part !== "").join("/");
      if (type === "0" || type === "") files.set(name, content.toString("latin1"));
      longName = undefined;
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}
