import { test } from "node:test";
import * as module from "../../lambda/golang/module.ts";
import { matchPath } from "../../lambda/golang/path-match.ts";
import * as pseudo from "../../lambda/golang/pseudo.ts";
import * as semver from "../../lambda/golang/semver.ts";
import { isLetter, isPrint, trimSpace } from "../../lambda/golang/unicode.ts";
import { mutate, pick, seededRandom } from "../support/mutation.ts";
import { skipWithoutGo, type XmodRequest } from "../support/xmod.ts";
import { assertAgreement, inputCount, type Port } from "../support/xmod-agreement.ts";

const codePointBits = (holds: (character: string) => boolean) => (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => (holds(String.fromCodePoint(from + i)) ? "1" : "0")).join("");

const port: Port = {
  ...prefixed("semver", semver),
  ...prefixed("module", module),
  ...prefixed("pseudo", pseudo),
  "pseudo.pseudoVersion": (major: string, older: string, time: number, rev: string) =>
    pseudo.pseudoVersion(major, older, new Date(time), rev),
  "pseudo.pseudoVersionTime": (version: string) => pseudo.pseudoVersionTime(version).getTime(),
  "path.match": (pattern: string, name: string) => {
    const { matched, malformed } = matchPath(pattern, name);
    if (malformed) throw Object.assign(new Error("malformed pattern"), { code: "malformed" });
    return matched;
  },
  "unicode.isLetter": codePointBits(isLetter),
  "unicode.isPrint": codePointBits(isPrint),
  "unicode.trimSpace": trimSpace,
};

function prefixed(name: string, functions: object): Port {
  return Object.fromEntries(Object.entries(functions).map(([key, value]) => [`${name}.${key}`, value]));
}

const digits = "9".repeat(40);

const versions = [
  ..."v1 v1.2 v1.2.3 v0.0.0 v01.2.3 v1.02.3 v1.2.03 v1.2.3-pre v1.2.3-0 v1.2.3-00 v1.2.3-01a v1.2.3-a.b.c".split(" "),
  ..."v1.2.3-pre.1+meta v1.2.3+meta v1.2.3+incompatible v2.0.0+incompatible v1.2.3-pre+incompatible".split(" "),
  ..."v1.2.3+incompatible.x v1-pre v1.2-pre v1.2+meta V1.2.3 1.2.3 v1.2.3- v1.2.3+ v1.2.3-. v1.2.3-a..b".split(" "),
  ..."v1.2.3--1 v1.2.3-alpha.9 v1.2.3-alpha.10 v1.2.3-alpha.beta v10.0.0 v9.99.999 master latest v none".split(" "),
  `v${digits}.${digits}.${digits}`,
  `v1.0.0-${digits}`,
  `v1.0.0-0${digits}`,
  ..."v0.0.0-20190101000000-abcdef123456 v1.0.0-20190101000000-abcdef123456 v2.0.0-20190101000000-Abc".split(" "),
  ..."v1.2.4-0.20190101000000-abcdef123456 v1.2.4-0.20190101000000-abcdef123456+incompatible".split(" "),
  ..."v1.2.3-pre.0.20190101000000-abcdef123456 v1.2.3-pre.0.20190101000000-abcdef123456+incompatible".split(" "),
  ..."v1.2.0-0.20190101000000-abcdef123456 v1.1.0-20190101000000-abcdef123456 v1.2.3-0.0.20190101000000-a".split(" "),
  ..."v1.2.3-a-b.0.20190101000000-abc v1.2.3-pre0.20190101000000-abc v0.0.0-20190101000000-abc-def".split(" "),
  ..."v0.0.0-20190230000000-abc v0.0.0-20200229235959-abc v0.0.0-20190101240000-abc v0.0.0-00000229000000-a".split(" "),
  ..."v0.0.0-00010101000000-000000000000 v2.0.0-00010101000000-000000000000 v0.0.0-19000229000000-a".split(" "),
  `v1.2.${"9".repeat(30)}0-0.20190101000000-abcdef123456`,
  `v1.2.1${"0".repeat(30)}-0.20190101000000-abcdef123456`,
];
const versionPieces = [..."v012345679.-+aZz_!/ é", ".0", "-0.", ".0.", "00", "-pre", "+incompatible", "20200102030405"];

const paths = [
  ..."example.com example.com/m example.com/m/v2 example.com/m/v1 example.com/m/v0 example.com/m/v02".split(" "),
  ..."example.com/m/v2.3 example.com/m/v example.com/v2 example.com/m/v10/x github.com/Azure/azure-sdk".split(" "),
  ..."gopkg.in/yaml.v2 gopkg.in/yaml.v0 gopkg.in/yaml.v1 gopkg.in/yaml gopkg.in/yaml.v02 gopkg.in/yaml/v2".split(" "),
  ..."gopkg.in/yaml.v2-unstable gopkg.in/yaml.v0-unstable gopkg.in/a/b.v3 gopkg.in/.v1 gopkg.in/v2 gopkg.in/".split(
    " ",
  ),
  ..."example.com/.git example.com/a/.b example.com/a. example.com/a../b example.com/.. . .. ... a/./b".split(" "),
  ..."con a.b/con a.b/CON.txt a.b/Aux.x.y a.b/com1 a.b/COM0 a.b/lpt9.go a.b/lpt10 nul.x a.b/conx prn/a".split(" "),
  ..."a.b/foo~1 a.b/foo~1.txt a.b/foo~ a.b/~1 a.b/foo~1x a.b/x.y~2 a.b/c~~12 a.b/a~1b~2 -a.b/c a.b/-c".split(" "),
  ..."/a.b a.b/ a.b//c a-.b/c A.b/c a_b.c/d a.b/C+d a.b/c@d localhost/x std a.b:80/c a.b/c\\d a.b/c~d".split(" "),
  ..."a.b/é a.b/\u0301e a.b/日本語 a.b/𝒳 a.b/🙂 a.b/\u{1c89} a.b/K ſ.b/c a.b/ﬀ a.b/x|y a.b/x'y a.b/x&y".split(" "),
  "a.b/with space",
  " ",
  "",
  "a.b/c\x00d",
  "a.b/c\nd",
];
const pathPieces = [
  ...".-_~/+!@0129avAVZé ²Ⅷ🙂:\\*?\"<>|'&#$%(),=[]^{}`;",
  ..."/v2 .v1 -unstable ~1 con .com1 gopkg.in/ // .. ./ /. !a !A !! !é".split(" "),
];

const globs = [
  ..."* *.corp.example.com,rsc.io/private github.com/org/* a.b/c,d.e/f, ,,a.b/c/ */*/* a?b/c [a-z]*/x".split(" "),
  ..."[^a]b [a-] [] [^] [a \\* a\\ [\\]] [[] a*b*c ***a *[ab]/*c a/[b/c] *.é ?é [é-ü]* [🙂]? *?b".split(" "),
];
const globPieces = [..."*?[]^-\\/,abcxé🙂.", "[a-c]", "[^x]", "\\*", "**", "*a"];
const targets =
  "a.b/c a.b a/b/c/d abc xaybzc é éb 🙂 🙂b rsc.io/private/x x.corp.example.com/a axb/c a/b /a a// ".split(" ");
const targetPieces = [..."abcxyz./é🙂-]["];

const unescapable = ["github.com/!azure/x", "a.b/!c!d", "a.b/!", "!a.b/c", "a.b/!!c", "v1.2.3-!r!c1", ...paths];

const random = seededRandom(20200406);
const version = () => mutate(random, versions, versionPieces);
const path = () => mutate(random, paths, pathPieces);
const list = <T>(item: () => T) => Array.from({ length: random(13) }, item);

/** What to feed each function; lists stay under 13 items, which Go sorts stably. */
const generators: Readonly<Record<string, () => readonly unknown[]>> = {
  "semver.isValid": () => [version()],
  "semver.canonical": () => [version()],
  "semver.major": () => [version()],
  "semver.majorMinor": () => [version()],
  "semver.prerelease": () => [version()],
  "semver.build": () => [version()],
  "semver.compare": () => [version(), version()],
  "semver.max": () => [version(), version()],
  "semver.sort": () => [list(version)],
  "module.checkPath": () => [path()],
  "module.checkImportPath": () => [path()],
  "module.checkFilePath": () => [path()],
  "module.escapePath": () => [path()],
  "module.escapeVersion": () => [random(2) === 0 ? version() : path()],
  "module.unescapePath": () => [mutate(random, unescapable, pathPieces)],
  "module.unescapeVersion": () => [mutate(random, [...versions, ...unescapable], [...pathPieces, ...versionPieces])],
  "module.check": () => [path(), version()],
  "module.splitPathVersion": () => [path()],
  "module.matchPathMajor": () => [
    version(),
    mutate(random, ["", "/v2", "/v10", ".v1", ".v0", ".v2-unstable"], versionPieces),
  ],
  "module.pathMajorPrefix": () => [mutate(random, ["", "/v2", ".v1", ".v2-unstable", "/", "."], versionPieces)],
  "module.canonicalVersion": () => [version()],
  "module.matchPrefixPatterns": () => [
    mutate(random, globs, globPieces),
    mutate(random, [...targets, ...paths], targetPieces),
  ],
  // x/mod's order is no order where versions tie and files do not ("x", "x/go.mod", "y"), so versions are canonical here.
  "module.sort": () => [
    list(() => ({
      path: pick(random, ["a.b/c", "a.b/C", "\uff5e", "\u{1f600}", path()]),
      version: (semver.canonical(version()) || "v1.0.0") + pick(random, ["", "", "/go.mod", "/x"]),
    })),
  ],
  "path.match": () => [mutate(random, globs, globPieces), mutate(random, targets, targetPieces)],
  "pseudo.pseudoVersion": () => [
    pick(random, ["", "v0", "v1", "v2", "x"]),
    pick(random, ["", version()]),
    random(2 ** 32) * 100_000 - 65_000_000_000_000 + random(1000),
    "abcdef123456",
  ],
  "pseudo.zeroPseudoVersion": () => [pick(random, ["", "v0", "v1", "v2", version()])],
  "pseudo.isPseudoVersion": () => [version()],
  "pseudo.isZeroPseudoVersion": () => [version()],
  "pseudo.pseudoVersionTime": () => [version()],
  "pseudo.pseudoVersionRev": () => [version()],
  "pseudo.pseudoVersionBase": () => [version()],
  "unicode.trimSpace": () => [mutate(random, ["a b"], [..." \t\n\v\f\r\x85\xa0\ufeff\u180e\u2028\u3000\u200b\x1fa"])],
};

for (const [fn, generate] of Object.entries(generators)) {
  test(`${fn} agrees with x/mod`, { skip: skipWithoutGo }, async () => {
    const requests = Array.from({ length: inputCount }, (): XmodRequest => ({ fn, args: generate() }));
    await assertAgreement(port, requests);
  });
}

test("letters and printable characters are those of Go's Unicode tables", { skip: skipWithoutGo }, async () => {
  const planes = Array.from({ length: 17 }, (_, plane) => [plane * 0x10000, (plane + 1) * 0x10000]);
  const requests = ["unicode.isLetter", "unicode.isPrint"].flatMap((fn) => planes.map((args) => ({ fn, args })));
  await assertAgreement(port, requests);
});
