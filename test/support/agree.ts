import assert from "node:assert/strict";
import { isCodedError } from "../../lambda/golang/coded-error.ts";
import { askXmod } from "./xmod.ts";

/** One question to both sides; `ours` answers in the JSON form that the handler in test/xmod has. */
export interface Question {
  readonly fn: string;
  readonly args: readonly unknown[];
  ours(): unknown;
}

/** Asserts that each question gets x/mod's answer here, and is refused (with a CodedError) where x/mod refuses. */
export async function assertAgrees(questions: readonly Question[]): Promise<void> {
  const theirs = await askXmod(questions.map(({ fn, args }) => ({ fn, args })));
  for (const [i, question] of questions.entries()) {
    const expected = theirs[i]?.err === undefined ? { ok: theirs[i]?.ok } : "refused";
    if (expected === "refused") assert.doesNotMatch(theirs[i]?.err ?? "", /^(panic|no such function)/);
    const what = `${question.fn} ${JSON.stringify(question.args).slice(0, 300)} (x/mod: ${theirs[i]?.err ?? "ok"})`;
    assert.deepEqual(await answerOf(question), expected, what);
  }
}

async function answerOf(question: Question): Promise<unknown> {
  try {
    return { ok: await question.ours() };
  } catch (error) {
    if (isCodedError(error)) return "refused";
    throw error;
  }
}
