import { randomBytes } from "node:crypto";
import { accessValues, closingValues } from "../../lambda/access/deployed-values.ts";
import { hmac } from "../../lambda/access/hmac.ts";
import { type KeyValues, readAccess, readText, readTokens, revokedShards } from "../../lambda/edge/access-settings.ts";
import { decide, type EdgeRequest } from "../../lambda/edge/decide.ts";
import { entryLength } from "../../lambda/edge/revocations.ts";
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

/**
 * As full as the store may be: long private patterns in `access` and 200 others, 100 tenants, two keys, and every place
 * for revocations full.
 */
function makeContext() {
  const keys = [randomBytes(32), randomBytes(32)].map((key) => key.toString("base64url"));
  const globs = Array.from({ length: 30 }, (_, i) => `*.corp${i}.example.com/*/*/[a-z]*`);
  const patterns = Array.from({ length: 200 }, (_, i) => `git.corp${i}.example/team/[a-z]*/service-${i}`);
  const names = Array.from({ length: 100 }, (_, i) => `team-${i}`);
  const tenants = Object.fromEntries(
    names.map((name) => [name, { modules: Array.from({ length: 20 }, (_, i) => `${name}.example/${i}/[a-z]*/*`) }]),
  );
  const access = {
    anonymous: "public",
    private: [...globs, ...patterns, ...names.map((name) => `${name}.example/19`)],
    tenants,
  } as const;
  const values = new Map([...closingValues(new Map(), access, keys[0] ?? ""), ...accessValues(access)]);
  const entries = `=${randomBytes(1024)
    .toString("base64url")
    .slice(0, entryLength * Math.floor(1023 / entryLength))}`;
  for (let shard = 0; shard < revokedShards; shard++) values.set(`r ${shard}`, entries);
  values.set("tokens", JSON.stringify({ keys, identityKey: keys[0], revoked: "" }));
  // Read anew for each request, as CloudFront's function does.
  const keyValues: KeyValues = {
    access: () => readAccess(values.get("access")),
    tokens: () => readTokens(values.get("tokens")),
    text: (key) => readText(values.get(key)),
  };
  return { keyValues, hmac, now: () => now, key: keys[1] ?? "" };
}

function decideOften(request: EdgeRequest, context: ReturnType<typeof makeContext>): void {
  for (let i = 0; i < times; i++) decide(request, context);
}

function requests(key: string): Readonly<Record<string, EdgeRequest>> {
  const get = (path: string, credentials?: string): EdgeRequest => ({ method: "GET", path, credentials });
  const own = "/git.corp29.example.com/a/b/c/@v/v1.0.0.zip";
  const basic = (token: string) => `Basic ${Buffer.from(`go:${token}`).toString("base64")}`;
  const token = (modules: string) => {
    const identity = { id: "0abcdef123456789", role: "viewer", subject: "ci", modules } as const;
    const claims = `mf_${Buffer.from(formatClaims(identity, now + 60)).toString("base64url")}`;
    return basic(`${claims}.${hmac(key, claims)}`);
  };
  return {
    "public file": get("/github.com/prometheus/prometheus/@v/v0.310.0.zip"),
    "public file, valid token": get("/github.com/prometheus/prometheus/@v/v0.310.0.zip", token("@team-7,@team-8")),
    "escaped path": get("/github.com/%21azure/%21azure-sdk/@v/v1.0.0%2bincompatible.mod"),
    "private file, valid token": get(own, token("*.corp29.example.com")),
    "private file, token of two tenants": get("/team-8.example/19/a/b/@v/v1.0.0.zip", token("@team-7,@team-8")),
    "private file of another tenant": get("/team-9.example/19/a/b/@v/v1.0.0.zip", token("@team-7,@team-8")),
    "private file, forged token": get(own, basic(`mf_${"a".repeat(1_400)}.${"b".repeat(43)}`)),
    "private file, 16 KB of credentials": get(own, `Basic ${"A".repeat(16_000)}`),
    "private file, credentials of spaces": get(own, `Basic${" ".repeat(2_000)}`),
    "path of 8 KB of %-forms": get(`/${"%21a".repeat(2_000)}/@v/list`),
    "path of 8 KB of slashes and dots": get(`/${"../".repeat(2_700)}@v/list`),
    "1 KB of path elements, private patterns": get(`/a${"/a".repeat(490)}/@v/list`),
  };
}
