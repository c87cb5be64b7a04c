/**
 * Writes a line of the log by itself. `console.log` of Lambda's runtime puts time and request id before it, and CloudWatch
 * then finds no metrics in it.
 */
export function writeLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** What one invocation reports about itself: what to look for, and what to count. */
export interface Report {
  readonly message: string;
  readonly fields: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Numbers that CloudWatch turns into metrics of the namespace `modfront`, by name. */
  readonly metrics: Readonly<Record<string, number>>;
  /** True when this version of the function failed by itself: counted by version, so that a roll-out can be judged. */
  readonly isFault?: boolean;
  /** What is counted of a channel, whatever function it was that answered. */
  readonly ofChannel?: { readonly channel: string; readonly metrics: Readonly<Record<string, number>> } | undefined;
}

export interface ReportContext {
  readonly handler: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly traceId: string | undefined;
  /** Of the function. */
  readonly version: string;
}

/**
 * One line of JSON that is a structured log entry and, in CloudWatch's embedded metric format, its metrics too.
 *
 * No header, query string, token or address of a caller is among the fields.
 */
export function reportLine(
  { message, fields, metrics, isFault = false, ofChannel }: Report,
  context: ReportContext,
): string {
  const names = Object.keys(metrics).map((Name) => ({ Name, Unit: units[Name] ?? "Count" }));
  return JSON.stringify({
    _aws: {
      Timestamp: context.now,
      CloudWatchMetrics: [
        { Namespace: "modfront", Dimensions: [["Handler"]], Metrics: names },
        ...(isFault ? [fault] : []),
        ...(ofChannel ? [byChannel(ofChannel.metrics)] : []),
      ],
    },
    Handler: context.handler,
    Version: context.version,
    time: new Date(context.now).toISOString(),
    traceId: context.traceId,
    message,
    ...fields,
    ...metrics,
    ...(isFault && { Faults: 1 }),
    ...(ofChannel && { Channel: ofChannel.channel, ...ofChannel.metrics }),
  });
}

/** Of what is not just counted. */
const units: Readonly<Record<string, string>> = { Milliseconds: "Milliseconds", HeadAge: "Seconds" };

function byChannel(metrics: Readonly<Record<string, number>>) {
  const names = Object.keys(metrics).map((Name) => ({ Name, Unit: "Count" }));
  return { Namespace: "modfront", Dimensions: [["Channel"]], Metrics: names };
}

const fault = {
  Namespace: "modfront",
  Dimensions: [["Handler", "Version"]],
  Metrics: [{ Name: "Faults", Unit: "Count" }],
};
