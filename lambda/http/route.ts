import type { ZodType } from "zod";
import type { Access } from "../edge/permit.ts";
import type { HttpHandler } from "./handler.ts";

/**
 * A row of what is answered under `/-/`, and at `/`: all that router, gate and description know of a capability.
 *
 * Each room exports a function that returns its rows around what they need; one place on each plane puts them one after
 * the other. So a capability is a file in its room and a line there.
 */
export interface Route {
  /** Names it in logs, metrics and the description: `"live"`. */
  readonly name: string;
  /** `"/-/live"`, `"/-/api/blocks/<module>[@<version>]"` (lambda/http/address.ts). */
  readonly address: string;
  readonly methods: readonly string[];
  /** Who may; for a private module that the address names, only whom a pattern covers. */
  readonly access: Access;
  /** The JSON that a body must be; absent: none is read. */
  readonly input?: ZodType;
  readonly output: Output;
  readonly handler: HttpHandler;
}

/** What a 200 is. */
export interface Output {
  readonly contentType: string;
  /** One sentence for the description. */
  readonly about: string;
  /** The shape of JSON. */
  readonly schema?: ZodType;
}
