import assert from "node:assert/strict";
import { env } from "node:process";
import { askXmod, type XmodRequest } from "./xmod.ts";

/** How many generated inputs each comparison takes; MODFRONT_XMOD_INPUTS asks for a longer run. */
export const inputCount = Number(env.MODFRONT_XMOD_INPUTS ?? 1500);

// biome-ignore lint/suspicious/noExplicitAny: the arguments of a function by name, as they travel in JSON
export type Port = Readonly<Record<string, (...args: any[]) => unknown>>;

/** Asserts that our functions give x/mod's value, or throw where it gives an error, for every request. */
export async function assertAgreement(port: Port, requests: readonly XmodRequest[]): Promise<void> {
  const answers = await askXmod(requests);
  const differences: unknown[] = [];
  for (const [i, { fn, args }] of requests.entries()) {
    const ours = answerOf(port, fn, structuredClone(args));
    const answer = answers[i];
    const theirs = answer?.err === undefined ? { ok: answer?.ok } : { err: answer.err };
    if (!sameAnswer(ours, theirs)) differences.push({ fn, args, ours, theirs });
  }
  const shown = differences.slice(0, 10).map((difference) => JSON.stringify(difference));
  assert.equal(differences.length, 0, `${differences.length} of ${requests.length} differ:\n${shown.join("\n")}`);
}

function answerOf(port: Port, fn: string, args: readonly unknown[]): { ok: unknown } | { err: string } {
  const call = port[fn];
  assert.ok(call, `no port of ${fn}`);
  try {
    return { ok: call(...args) ?? null };
  } catch (error) {
    // Anything but our own errors is a bug, even where x/mod fails too.
    if (!(error instanceof Error) || !("code" in error)) throw error;
    return { err: error.message };
  }
}

function sameAnswer(ours: object, theirs: object): boolean {
  if ("err" in ours || "err" in theirs) return "err" in ours && "err" in theirs;
  try {
    assert.deepStrictEqual(ours, theirs);
    return true;
  } catch {
    return false;
  }
}
