import { type AuditedChannels, alarmActor } from "../access/audited-channels.ts";
import { isCodedError } from "../golang/coded-error.ts";

export interface ChannelAlarmParts {
  /** The channel of each alarm, by its name. */
  readonly alarms: Readonly<Record<string, string>>;
  readonly channels: Pick<AuditedChannels, "rollBack">;
  /** The id of this request. */
  readonly request: string;
}

/**
 * Rolls back the channel of which CloudWatch says that its alarm went off, and returns its name; undefined for any other message,
 * and where it is rolled back already or gone.
 */
export async function rollBackByAlarm(message: string, parts: ChannelAlarmParts): Promise<string | undefined> {
  const channel = alarmedChannel(message, parts.alarms);
  if (channel === undefined) return undefined;
  try {
    return (await parts.channels.rollBack(alarmActor(parts.request), channel)) ? channel : undefined;
  } catch (error) {
    if (isCodedError(error, "no-such-channel")) return undefined;
    throw error;
  }
}

function alarmedChannel(message: string, alarms: ChannelAlarmParts["alarms"]): string | undefined {
  try {
    const { AlarmName, NewStateValue } = JSON.parse(message);
    const isKnown = typeof AlarmName === "string" && Object.hasOwn(alarms, AlarmName);
    return isKnown && NewStateValue === "ALARM" ? alarms[AlarmName] : undefined;
  } catch {
    return undefined;
  }
}
