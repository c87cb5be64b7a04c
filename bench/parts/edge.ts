import { randomBytes } from "node:crypto";
import { hmac } from "../../lambda/access/hmac.ts";
import { packAccess } from "../../lambda/access/packed-settings.ts";
import { readAccess, readTokens } from "../../lambda/edge/access-settings.ts";
import { decide, type EdgeRequest } from "../../lambda/edge/decide.ts";
import { formatClaims } from "../../lambda/edge/token.ts";
import type { Bench } from "../part.ts";

// The edge's decision: CPU per request, for honest requests and for those made to be expensive.

const times = 2_000;
const now = 1_700_000_000;

export async function measureEdge(bench: Bench): Promise<void> {
  const context = makeContext();
  for (let round = 0; round < bench.rounds; round++) {
    for (const [row, request] of Object.entries(requests(context.key))) {
      decideOften(request, context);
      const before = process.cpuUsage();
      decideOften(request, context);
      const { user, system } = process.cpuUsage(before);
      bench.add(row, "modfront", { "CPU µs": (user + system) / times });
    }
  }
}

/** As full as the two values may be: long private patterns, two keys, and as many revoked tokens as fit. */
function makeContext() {
  const keys = [randomBytes(32), randomBytes(32)].map((key) => key.toString("base64url"));
  const patterns = Array.from({ length: 30 }, (_, i) => `*.corp${i}.example.com/*/*/[a-z]*`);
  const revoked = Array.from({ length: 110 }, () => randomBytes(4).toString("hex").slice(0, 6)).join(" ");
  const values = {
    access: packAccess({ anonymous: "public", private: patterns.join(",") }),
    tokens: JSON.stringify({ keys, identityKey: keys[0], revoked }),
  };
  const [access, tokens] = [readAccess(values.access), readTokens(values.tokens)];
  const keyValues = { access: () => access, tokens: () => tokens };
  return { keyValues, hmac, now: () => now, key: keys[1] ?? "" };
}

function decideOften(request: EdgeRequest, context: ReturnType<typeof makeContext>): void {
  for (let i = 0; i < times; i++) decide(request, context);
}

function requests(key: string): Readonly<Record<string, EdgeRequest>> {
  const get = (path: string, credentials?: string): EdgeRequest => ({ method: "GET", path, credentials });
  const own = "/git.corp29.example.com/a/b/c/@v/v1.0.0.zip";
  const identity = { id: "abc123", role: "viewer", subject: "ci", modules: "*.corp29.example.com" } as const;
  const claims = `mf_${Buffer.from(formatClaims(identity, now + 60)).toString("base64url")}`;
  const basic = (token: string) => `Basic ${Buffer.from(`go:${token}`).toString("base64")}`;
  return {
    "public file": get("/github.com/prometheus/prometheus/@v/v0.310.0.zip"),
    "escaped path": get("/github.com/%21azure/%21azure-sdk/@v/v1.0.0%2bincompatible.mod"),
    "private file, valid token": get(own, basic(`${claims}.${hmac(key, claims)}`)),
    "private file, forged token": get(own, basic(`mf_${"a".repeat(1_400)}.${"b".repeat(43)}`)),
    "private file, 16 KB of credentials": get(own, `Basic ${"A".repeat(16_000)}`),
    "private file, credentials of spaces": get(own, `Basic${" ".repeat(2_000)}`),
    "path of 8 KB of %-forms": get(`/${"%21a".repeat(2_000)}/@v/list`),
    "path of 8 KB of slashes and dots": get(`/${"../".repeat(2_700)}@v/list`),
    "1 KB of path elements, private patterns": get(`/a${"/a".repeat(490)}/@v/list`),
  };
}
