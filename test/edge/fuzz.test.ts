import assert from "node:assert/strict";
import { test } from "node:test";
import { createToken } from "../../lambda/access/tokens.ts";
import { decide } from "../../lambda/edge/decide.ts";
import { judge } from "../support/judgement.ts";
import { basic, edgeContext, MemoryTokenStore } from "../support/tokens.ts";

/** MODFRONT_FUZZ=1000000 asks a million; the seed is fixed, so that a failure comes back. */
const requests = Number(process.env.MODFRONT_FUZZ ?? 20_000);

function randomSource(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test(`of ${requests} hostile requests none is let in, and none breaks the decision`, async () => {
  const store = new MemoryTokenStore();
  const request = { subject: "s", role: "admin", modules: "*", days: 1 };
  const { token } = await createToken(store, request, 1_800_000_000);
  const [claims = "", signature = ""] = token.split(".");
  const context = edgeContext({ anonymous: "none", private: "corp.example" }, store.state, 1_800_000_000);
  const random = randomSource(7);
  const pick = <Item>(items: readonly Item[]): Item => items[random(items.length)] as Item;
  const pieces = ["mf_", ".", ":", "=", "-", "_", "/", "+", " ", "\t", "\n", "\0", "é", "世", "😀", "\ud800", "%", ","];
  const junk = (length: number) => Array.from({ length: random(length) }, () => pick(pieces)).join("");
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  /** One character of the genuine token is another: never the genuine one, in whatever it is packed. */
  const damaged = () => {
    const at = random(token.length);
    const other = pick(["A", "B", "-", "_", ".", ""].filter((each) => each !== token[at]));
    return token.slice(0, at) + other + token.slice(at + 1);
  };
  const credentials: readonly (() => string)[] = [
    () => junk(40),
    () => "A".repeat(random(20_000)),
    () => ":".repeat(random(3_000)),
    () => base64(":".repeat(random(1_500))),
    () => base64(junk(40)),
    () => base64(`u:${damaged()}`),
    () => base64(`u:${junk(4)}:${token}`),
    () => base64(`u:${token}${pick(pieces)}`),
    () => damaged(),
    () => `${claims}.${signature}.${signature}`,
    () => `${claims}.`,
    () => `mf_${base64(junk(20))}.${signature}`,
    () => `${token},${token}`,
    () => `${"mf_".repeat(random(500))}.${signature}`,
  ];
  const header = (): string | string[] | undefined => {
    const value =
      pick(["Basic ", "Bearer ", "basic  ", "Negotiate ", "", "Basic\t", "BasicBasic "]) + pick(credentials)();
    return pick<string | string[] | undefined>([
      value,
      value,
      value,
      value,
      [value],
      [basic(token), value],
      [],
      undefined,
    ]);
  };
  const paths = [
    "/a.b/@v/list",
    "/corp.example/@latest",
    "/-/metrics",
    "/",
    "/sumdb/s.org/lookup/a.b@v1",
    "/a.b/@v/v1.0.0.zip",
  ];
  const target = () =>
    pick([() => pick(paths), () => `${pick(paths)}?${junk(9)}`, () => `/${junk(30)}`, () => pick(paths) + junk(5)])();
  for (let i = 0; i < requests; i++) {
    const asked = {
      method: pick(["GET", "GET", "GET", "HEAD", "POST"]),
      path: target(),
      credentials: header(),
    };
    const judgement = await judge(asked, context);
    assert.equal(judgement.kind, "refusal", JSON.stringify(asked));
    const status = judgement.kind === "refusal" ? judgement.status : 0;
    assert.ok([400, 401, 404, 405].includes(status), `${status} ${JSON.stringify(asked)}`);
  }
  const genuine = { method: "GET", path: "/a.b/@v/list", credentials: basic(token) };
  assert.equal(decide(genuine, context).kind, "forward", "the token these were made from is one");
});
