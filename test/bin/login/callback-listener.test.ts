import assert from "node:assert/strict";
import { test } from "node:test";
import { CallbackListener } from "../../../bin/login/callback-listener.ts";
import { CodedError } from "../../../lambda/golang/coded-error.ts";

test("an answer counts once: before anyone waits, and after the first, a sign-in is over", async () => {
  await using listener = await CallbackListener.listen(0);
  const ask = async (query: string) => (await fetch(`${listener.redirectUri}?${query}`)).status;
  assert.equal(await ask("state=s&code=early"), 410);
  const codes: (string | null)[] = [];
  const answered = listener.answer((url) => {
    if (url.searchParams.get("state") !== "s") throw new CodedError("not-awaited", "another state");
    codes.push(url.searchParams.get("code"));
    return "first";
  }, 60);
  assert.deepEqual(
    [await ask("state=x&code=1"), await ask("state=s&code=2"), await ask("state=s&code=3")],
    [400, 200, 410],
  );
  assert.deepEqual([await answered, codes], ["first", ["2"]]);
});

test("what the judge throws ends the wait, and the browser is not told what", async () => {
  await using listener = await CallbackListener.listen(0);
  const answered = assert.rejects(
    listener.answer(() => {
      throw new CodedError("provider", "<script>s3cret");
    }, 60),
    { code: "provider" },
  );
  const page = await fetch(`${listener.redirectUri}?state=s`);
  const text = await page.text();
  assert.ok(text.includes("The sign-in failed") && !text.includes("s3cret"));
  assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'/);
  await answered;
});

test("a port that is taken, and a person who does not come, are said", async () => {
  await using listener = await CallbackListener.listen(0);
  await assert.rejects(CallbackListener.listen(Number(new URL(listener.redirectUri).port)), { code: "usage" });
  await assert.rejects(
    listener.answer(() => {}, 0),
    { code: "login-timeout" },
  );
});
