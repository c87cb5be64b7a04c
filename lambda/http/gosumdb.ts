import { readers } from "../edge/permit.ts";
import { readMethods } from "../edge/routes.ts";
import { plainText, textAnswer } from "./probes.ts";
import type { Route } from "./route.ts";

/** `/-/gosumdb`: the checksum database that this proxy passes on, `off` without one. */
export function gosumdbRoutes(name: string | undefined): readonly Route[] {
  return [
    {
      name: "gosumdb",
      address: "/-/gosumdb",
      methods: readMethods,
      access: readers,
      output: { contentType: plainText, about: "One line: the name of the checksum database, or off." },
      handler: async () => textAnswer(`${name ?? "off"}\n`),
    },
  ];
}
