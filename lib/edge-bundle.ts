import { join } from "node:path";
import { buildSync, transformSync } from "esbuild";
import type { Fetches } from "../lambda/edge/fetch-line.ts";

/** CloudFront's limit for the code of a function, in bytes. */
export const maxEdgeBundle = 10_240;

/** What a viewer-request function is put before: the module protocol and whatever else comes, or `/-/`. */
export type EdgePlane = "protocol" | "site";

/** The decision of lambda/edge/decide.ts in each. */
const decisions: Readonly<Record<EdgePlane, string>> = { protocol: "decide", site: "decideSite" };

// cloudfront-js-2.0 knows import only of its own modules, calls a top-level function `handler`, and has neither async
// closures nor await in arguments: these lines are therefore written as they run. What is decided again after a read has
// its HMACs from before; each byte counts. What is noted of a fetch goes into CloudFront's own line of the request: no request fails
// for it.
const banner = `import cf from "cloudfront";
import crypto from "crypto";
var edge={},U;`;

const footer = `async function read(key) {
  try {
    let value = await cf.kvs().get(key);
    return value;
  } catch (error) {}
}
function note(line) {
  try {
    cf.logCustomData(line);
  } catch (error) {}
}
async function handler(event) {
  let known = {}, made = {}, hmac = (key, message) => {
    let name = key + " " + message;
    return made[name] || (made[name] = crypto.createHmac("sha256", key).update(message).digest("base64url"));
  }, now = Math.floor(new Date / 1000);
  for (;;) {
    let answer = edge.answer(event.request, known, hmac, now, event.context.requestId, note);
    if (typeof answer !== "string") return answer;
    let value = await read(answer);
    known[answer] = value;
  }
}`;

const footerOptions = {
  minifyWhitespace: true,
  minifyIdentifiers: true,
  supported: { "object-extensions": false },
};

/**
 * The properties that are lambda/edge's own and may have any name in the bundle. Not here, because others know them: the
 * event's (`uri`, `headers`, `value` ...), the JSON of key values (`anonymous`, `private`, `keys` ...), roles and routes,
 * which are looked up by name, and what JavaScript itself has. What is missing here only costs bytes.
 */
const ownProperties = [
  ...[
    "routed",
    "misrouted",
    "prepare",
    "identity",
    "kind",
    "keyValues",
    "route",
    "path",
    "module",
    "version",
    "status",
    "reason",
  ],
  ...[
    "role",
    "subject",
    "modules",
    "credentials",
    "expires",
    "fault",
    "id",
    "hmac",
    "now",
    "access",
    "tokens",
    "known",
    "text",
    "fetched",
    "hidden",
    "requestId",
    "address",
    "channel",
    "named",
    "view",
    "header",
    "blocked",
  ],
];

/**
 * Returns the code of a viewer-request function: lambda/edge as one script for the runtime cloudfront-js-2.0.
 *
 * It targets ES5 and allows of later syntax only what that runtime documents (const, let, arrows, template literals), so
 * that anything else in lambda/edge is lowered or fails the build instead of failing at the edge.
 */
export function bundleEdge(plane: EdgePlane, fetches: Fetches): string {
  const decide = decisions[plane];
  const fetched = { none: "() => {}", private: "notesOfPrivate(note)", all: "notesOfAll(note)" }[fetches];
  const result = buildSync({
    stdin: {
      contents: `import { onViewerRequest } from "./cloudfront.ts";
import { ${decide} } from "./decide.ts";
import { notesOfAll, notesOfPrivate } from "./fetch-note.ts";
edge.answer = (request, known, hmac, now, requestId, note) =>
  onViewerRequest(request, { known, hmac, now, requestId, fetched: ${fetched} }, ${decide});`,
      resolveDir: join(import.meta.dirname, "../lambda/edge"),
    },
    bundle: true,
    write: false,
    minify: true,
    mangleQuoted: true,
    mangleProps: new RegExp(`^(${ownProperties.join("|")})$`),
    format: "iife",
    platform: "neutral",
    // Five bytes less each time than what it is minified to otherwise; the banner has it.
    define: { undefined: "U" },
    charset: "ascii",
    legalComments: "none",
    target: "es5",
    supported: { "const-and-let": true, arrow: true, "template-literal": true },
    banner: { js: banner },
    footer: { js: transformSync(footer, footerOptions).code },
    logLevel: "silent",
  });
  return result.outputFiles[0]?.text ?? "";
}
