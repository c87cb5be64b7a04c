import assert from "node:assert/strict";
import { test } from "node:test";
import { isDue, isValid, type Login } from "../../../bin/login/login.ts";

const renewal = { kind: "environment", name: "X" } as const;
const second = 1000;
const start = 1_000_000 * second;
/** Of a minute. */
const short: Login = { token: "t", obtained: start, expires: start + 60 * second, renewal };
/** Of a day. */
const long: Login = { ...short, expires: start + 86_400 * second };

test("a token is renewed in the last quarter of its life, five minutes at most, or when it was refused", () => {
  const rows: readonly (readonly [login: Login, after: number, isRefused: boolean, isDue: boolean])[] = [
    [short, 44, false, false],
    [short, 46, false, true],
    [short, 3600, false, true],
    [long, 86_400 - 301, false, false],
    [long, 86_400 - 299, false, true],
    // One that is new was not the one that was refused.
    [short, 9, true, false],
    [short, 11, true, true],
    [{ ...short, failed: start + 46 * second }, 50, false, false],
    [{ ...short, failed: start + 46 * second }, 57, false, false],
    [{ ...short, failed: start + 46 * second }, 57, true, true],
    [{ ...short, failed: start + 46 * second }, 61, false, true],
    [{ ...long, failed: start }, 86_400 - 299, false, true],
    // The clock was set back, and a failure lies in the future.
    [short, -3600, false, true],
    [{ ...short, failed: start }, -3600, false, true],
    [short, -5, false, false],
    // Without what renews them.
    [{ token: "t" }, 0, true, false],
    [{ token: "t", obtained: start, expires: start }, 60, true, false],
  ];
  for (const [login, after, isRefused, expected] of rows)
    assert.equal(isDue(login, start + after * second, isRefused), expected, JSON.stringify([login, after, isRefused]));
});

test("a token is shown until it ends, and one without an end always", () => {
  assert.equal(isValid(short, start + 59 * second), true);
  assert.equal(isValid(short, start + 60 * second), false);
  assert.equal(isValid({ token: "t" }, start), true);
});
