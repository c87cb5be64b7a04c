import type { AccessSettings } from "../../edge/access-settings.ts";
import { knownTo, readDenial } from "../../edge/permit.ts";
import type { Identity } from "../../edge/token.ts";
import type { FillAnswer } from "../store/fill-plane.ts";
import { ServedError } from "../store/served-error.ts";

/**
 * Checks that somebody may read every module of which a data tile of our log has a record.
 *
 * The edge cannot know them, so that this is decided here alone, and no cache may keep the tile. Throws `ServedError`
 * "forbidden", which names none of them.
 */
export function checkReader(tile: FillAnswer, access: AccessSettings, identity: Identity): void {
  if (access.anonymous === "all") return;
  const modules = "body" in tile ? recordedModules(tile.body) : [undefined];
  const text = knownTo(access);
  const mayRead = (module: string | undefined) =>
    module !== undefined && readDenial(access, identity, module, text) === undefined;
  if (modules.every(mayRead)) return;
  throw new ServedError("forbidden", "this tile has records of private modules that whoever asks may not see");
}

/** The modules of the lines, `"example.com/m v1.0.0 h1:…"`; `undefined` among them for a line of another form. */
function recordedModules(tile: Uint8Array): readonly (string | undefined)[] {
  const lines = new TextDecoder().decode(tile).split("\n");
  const modules = lines.filter((line) => line !== "").map((line) => /^(\S+) \S+ h1:/.exec(line)?.[1]);
  return [...new Set(modules)];
}
