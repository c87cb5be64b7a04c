import { readers } from "../edge/permit.ts";
import { gosumdbAddress, readMethods } from "../edge/routes.ts";
import { plainText, textAnswer } from "./probes.ts";
import type { Route } from "./route.ts";

/** `/-/gosumdb`: what GOSUMDB is set to, `off` without a checksum database. */
export function gosumdbRoutes(name: string | undefined): readonly Route[] {
  return [
    {
      name: "gosumdb",
      address: gosumdbAddress,
      methods: readMethods,
      access: readers,
      output: { contentType: plainText, about: "One line: what GOSUMDB is set to, or off." },
      handler: async () => textAnswer(`${name ?? "off"}\n`),
    },
  ];
}
