import { createHmac } from "node:crypto";
import type { Hmac } from "../edge/hmac.ts";

/** HMAC-SHA256 as lambda/edge wants it, by Node. */
export const hmac: Hmac = (key, message) => createHmac("sha256", key).update(message).digest("base64url");
