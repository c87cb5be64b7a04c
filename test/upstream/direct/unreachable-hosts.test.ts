import assert from "node:assert/strict";
import { test } from "node:test";
import { UpstreamFailure } from "../../../lambda/proxy/sources/upstream.ts";
import { UnreachableHosts } from "../../../lambda/upstream/direct/unreachable-hosts.ts";
import type { RawAnswer } from "../../../lambda/upstream/http/exchange.ts";
import type { Requester } from "../../../lambda/upstream/http/requester.ts";

const answer = { statusCode: 503 } as RawAnswer;

/** A client that fails with `code` until that is undefined, and hosts on a clock that stands. */
function world() {
  const state = { code: "unreachable" as UpstreamFailure["code"] | undefined, sent: 0, now: 0, late: false };
  const client: Requester = {
    isTrusted: () => false,
    send: async (_, { onConnected }) => {
      state.sent++;
      if (state.late) onConnected?.();
      if (state.code !== undefined) throw new UpstreamFailure(state.code, "refused the connection");
      onConnected?.();
      return answer;
    },
  };
  const hosts = new UnreachableHosts(client, () => state.now);
  const ask = (host = "a.example", signal?: AbortSignal, isTrusted?: () => boolean) =>
    hosts.send(new URL(`https://${host}/x`), { signal, isTrusted }).then(
      ({ statusCode }) => statusCode,
      (error: unknown) => (error instanceof UpstreamFailure ? error.code : String(error)),
    );
  return { state, ask, hosts };
}

test("a host that refuses three times is left alone, longer each time, and tried again with one request", async () => {
  const { state, ask, hosts } = world();
  for (const _ of [1, 2, 3]) assert.equal(await ask(), "unreachable");
  assert.equal(await ask(), "breaker-open");
  await assert.rejects(hosts.send(new URL("https://a.example/"), {}), {
    message: "refused the connection a moment ago",
  });
  assert.equal(await ask("b.example"), "unreachable", "another host is another matter");
  assert.equal(state.sent, 4);
  for (const rest of [5, 10, 20, 40, 60, 60]) {
    state.now += rest * 1000 - 1;
    assert.equal(await ask(), "breaker-open", `within ${rest} s`);
    state.now += 1;
    assert.deepEqual(await Promise.all([ask(), ask()]), ["unreachable", "breaker-open"], `after ${rest} s`);
  }
  state.now += 60_000;
  state.code = undefined;
  assert.equal(await ask(), 503, "whatever it answers, it was reached");
  state.code = "unreachable";
  assert.deepEqual(
    [await ask(), await ask(), await ask(), await ask()],
    [...Array(3).fill("unreachable"), "breaker-open"],
  );
});

test("one connection that times out has cost enough", async () => {
  const { state, ask } = world();
  state.code = "connect-timeout";
  assert.deepEqual([await ask(), await ask()], ["connect-timeout", "breaker-open"]);
});

test("what happens after a connection stands is no matter of the host's", async () => {
  const { state, ask } = world();
  for (const code of ["timeout", "bad-answer", "refused-address", "redirects"] as const) {
    state.code = code;
    for (const _ of [1, 2, 3, 4]) assert.equal(await ask(), code);
  }
  Object.assign(state, { code: "unreachable", late: true });
  for (const _ of [1, 2, 3]) assert.equal(await ask(), "unreachable");
});

test("who gave up says nothing of a host, and the next one tries it", async () => {
  const { state, ask } = world();
  const gone = AbortSignal.abort(new Error("gone"));
  for (const _ of [1, 2, 3, 4]) await ask("a.example", gone);
  assert.equal(state.sent, 4);
  for (const _ of [1, 2, 3]) await ask();
  state.now += 5_000;
  await ask("a.example", gone);
  state.code = undefined;
  assert.equal(await ask(), 503);
});

test("what those know who trust a host is not told to others", async () => {
  const { state, ask } = world();
  const trusted = () => ask("a.example", undefined, () => true);
  for (const _ of [1, 2, 3]) assert.equal(await trusted(), "unreachable");
  assert.equal(await trusted(), "breaker-open");
  state.code = "refused-address";
  assert.equal(await ask(), "refused-address");
});
