import { openFill } from "./aws/deployed-fill.ts";
import { type FillInvocation, type FillOutcome, packAnswer, packFailure } from "./aws/fill-invocation.ts";
import { reportLine, writeLine } from "./aws/report-line.ts";
import { functionVersion, readEnvironment, readSettings, traceId } from "./config/env.ts";
import { explain } from "./proxy/store/explain.ts";
import { asServedError, isFault, type ServedError } from "./proxy/store/served-error.ts";
import { systemClock as clock } from "./runtime/system-clock.ts";

// The fill plane, invoked by the serve plane for misses.

const { fill, stores, begin } = await openFill({
  environment: readEnvironment("fill"),
  settings: readSettings("fill"),
  threadOf: (name) => new URL(`./${name}.mjs`, import.meta.url),
  clock,
  elapsed: () => performance.now(),
});

export async function handler({ request, waitUntil }: FillInvocation): Promise<FillOutcome> {
  const started = clock.now();
  const asked = { kind: request.kind, module: "module" in request ? request.module.path : undefined };
  const log = (fields: Readonly<Record<string, string>>, error?: ServedError) => {
    const metrics = { Fills: 1, Milliseconds: clock.now() - started, Alarming: error?.traits.alarming ? 1 : 0 };
    const context = { handler: "fill", now: clock.now(), traceId: traceId(), version: functionVersion() };
    writeLine(
      reportLine({ message: "fill", fields: { ...asked, ...fields }, metrics, isFault: isFault(error) }, context),
    );
  };
  try {
    await begin();
    const outcome = await packAnswer(request, await fill.fill(request, waitUntil), stores.link);
    log({});
    return outcome;
  } catch (error) {
    const served = asServedError(error);
    log({ code: served.code, error: explain(error) }, served);
    return packFailure(error);
  }
}
