import { join } from "node:path";
import { buildSync, transformSync } from "esbuild";

/** CloudFront's limit for the code of a function, in bytes. */
export const maxEdgeBundle = 10_240;

// cloudfront-js-2.0 knows import only of its own modules, calls a top-level function `handler`, and has neither async
// closures nor await in arguments: these lines are therefore written as they run.
const banner = `import cf from "cloudfront";
import crypto from "crypto";
var edge = {};`;

const footer = `function hmac(key, message) {
  return crypto.createHmac("sha256", key).update(message).digest("base64url");
}
async function read(name) {
  try {
    const value = await cf.kvs().get(name);
    return value;
  } catch (error) {
    return undefined;
  }
}
async function handler(event) {
  const access = await read("access");
  const tokens = await read("tokens");
  const now = Math.floor(new Date / 1000);
  return edge.onViewerRequest(event.request, { access: access, tokens: tokens, hmac: hmac, now: now });
}`;

const footerOptions = {
  minifyWhitespace: true,
  minifyIdentifiers: true,
  supported: { "object-extensions": false },
};

/**
 * Returns the code of the viewer-request function: lambda/edge as one script for the runtime cloudfront-js-2.0.
 *
 * It targets ES5 and allows of later syntax only what that runtime documents (const, let, arrows, template literals), so
 * that anything else in lambda/edge is lowered or fails the build instead of failing at the edge.
 */
export function bundleEdge(): string {
  const result = buildSync({
    stdin: {
      contents: 'import { onViewerRequest } from "./cloudfront.ts"; edge.onViewerRequest = onViewerRequest;',
      resolveDir: join(import.meta.dirname, "../lambda/edge"),
    },
    bundle: true,
    write: false,
    minify: true,
    format: "iife",
    platform: "neutral",
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
