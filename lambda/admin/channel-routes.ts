import type { AuditedChannels } from "../access/audited-channels.ts";
import type { Tenants } from "../access/tenants.ts";
import type { Access } from "../edge/permit.ts";
import { readMethods } from "../edge/routes.ts";
import type { Route } from "../http/route.ts";
import type { ShownChannel } from "../proxy/channels/channel-rows.ts";
import { actorOf, jsonAnswer, orLine } from "./administration.ts";

export interface ChannelAdministration {
  readonly channels: AuditedChannels;
  readonly tenants: Tenants;
}

/** What is of the whole organisation, and urgent. */
const operating: Access = { anonymous: "no", viewer: "no", publisher: "no", operator: "yes", admin: "yes" };

const json = "application/json";

/** Channels over HTTP: which there are, and their being rolled back. */
export function channelRoutes({ channels, tenants }: ChannelAdministration): readonly Route[] {
  const state = async (name: string) => {
    const shown = (await channels.list()).find((each) => each.name === name);
    return jsonAnswer(shown && toJson(shown));
  };
  return [
    {
      name: "channels",
      address: "/-/api/channels",
      methods: readMethods,
      access: operating,
      output: { contentType: json, about: "The channels, how they are chosen, and since when they are rolled back." },
      handler: async () => jsonAnswer({ items: (await channels.list()).map(toJson) }),
    },
    {
      name: "channel-rollback",
      address: "/-/api/channels/<name>/rollback",
      methods: ["PUT"],
      access: operating,
      output: { contentType: json, about: "The channel: within seconds it is the default one to everybody." },
      handler: (request) =>
        orLine(async () => {
          const { name = "" } = request.parameters ?? {};
          await channels.rollBack(actorOf(request, tenants), name);
          return await state(name);
        }),
    },
    {
      name: "channel-restore",
      address: "/-/api/channels/<name>/rollback",
      methods: ["DELETE"],
      access: operating,
      output: { contentType: json, about: "The channel: within seconds it is itself again." },
      handler: (request) =>
        orLine(async () => {
          const { name = "" } = request.parameters ?? {};
          await channels.restore(actorOf(request, tenants), name);
          return await state(name);
        }),
    },
  ];
}

function toJson({ rolledBack, ...shown }: ShownChannel): object {
  return { ...shown, ...(rolledBack !== undefined && { rolledBack: new Date(rolledBack * 1000).toISOString() }) };
}
