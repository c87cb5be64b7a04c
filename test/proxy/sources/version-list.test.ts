import assert from "node:assert/strict";
import { test } from "node:test";
import { allAtOnce } from "../../../lambda/golang/steps.ts";
import {
  formatList,
  formatRemembered,
  parseRemembered,
  rememberedBody,
  versionList,
} from "../../../lambda/proxy/sources/version-list.ts";

test("the body of a list is cut out of its remembered text as it would be written from it", () => {
  const pseudo = "v0.0.0-20240101000000-0123456789ab";
  for (const versions of [
    [],
    ["v1.0.0"],
    ["v1.0.0", "v1.1.0-rc.1", "v1.10.0"],
    [pseudo],
    ["v1.0.0", pseudo],
    // Higher than every release, so a list in semver order would end with it, too.
    ["v1.0.0", "v1.0.1-0.20240101000000-0123456789ab"],
  ]) {
    const list = allAtOnce(versionList(versions));
    const text = formatRemembered(list);
    assert.deepEqual(allAtOnce(parseRemembered(text)), list);
    assert.equal(rememberedBody(text), formatList(list), versions.join(" "));
  }
});
