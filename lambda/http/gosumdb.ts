import { readers } from "../edge/permit.ts";
import { gosumdbAddress, readMethods } from "../edge/routes.ts";
import { plainText, textAnswer } from "./probes.ts";
import type { Route } from "./route.ts";

/** `/-/gosumdb`: what GOSUMDB is set to for this proxy's own checksum database, `"name+hash+key"`; `off` without one. */
export function gosumdbRoutes(line: string | undefined): readonly Route[] {
  return [
    {
      name: "gosumdb",
      address: gosumdbAddress,
      methods: readMethods,
      access: readers,
      output: { contentType: plainText, about: "One line: what GOSUMDB may be set to, or off." },
      handler: async () => textAnswer(`${line ?? "off"}\n`),
    },
  ];
}
