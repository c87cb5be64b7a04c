import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Provider } from "oidc-provider";
import type { ProviderTask } from "./oidc-provider.ts";

// A real OpenID provider as a process of its own: sends its issuer, and then a message for each grant. Whoever logs in with any password is
// that account.

const task: ProviderTask = JSON.parse(process.argv[2] ?? "{}");
const server = createServer().listen(0, "127.0.0.1");
await once(server, "listening");
const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const key = { ...privateKey.export({ format: "jwk" }), kid: "first", use: "sig", alg: "ES256" };

const provider = new Provider(issuer, {
  jwks: { keys: [key as never] },
  clients: [
    {
      client_id: task.clientId,
      application_type: "native",
      ...(task.clientSecret === undefined
        ? { token_endpoint_auth_method: "none" as const }
        : { token_endpoint_auth_method: "client_secret_post" as const, client_secret: task.clientSecret }),
      redirect_uris: ["http://127.0.0.1/callback"],
      grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
      id_token_signed_response_alg: "ES256",
    },
  ],
  scopes: ["openid", "offline_access", "profile", "email", "groups"],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"], groups: ["groups"] },
  conformIdTokenClaims: false,
  features: { deviceFlow: { enabled: true }, devInteractions: { enabled: true } },
  findAccount: (_context, accountId) => ({ accountId, claims: () => claimsOf(accountId) }),
  // True as Okta and Entra do.
  issueRefreshToken: async (_context, _client, { scopes }) =>
    task.refreshes === "consent" ? scopes.has("offline_access") : task.refreshes,
  rotateRefreshToken: () => true,
  ttl: { IdToken: task.idTokenSeconds, AccessToken: 60, AuthorizationCode: 60, RefreshToken: 3600, Grant: 3600 },
});

function claimsOf(sub: string) {
  return { sub, name: sub, email: `${sub}@corp.example`, email_verified: true, groups: task.groups };
}

provider.on("grant.success", ({ oidc }) => process.send?.(oidc.params?.grant_type));
provider.on("grant.error", ({ oidc }, { message }) => process.send?.(`${oidc.params?.grant_type}: ${message}`));
server.on("request", provider.callback());
process.send?.(issuer);
