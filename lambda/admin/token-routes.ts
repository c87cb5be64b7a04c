import { listManagedTokens } from "../access/managed-tokens.ts";
import { managedTenants, mayMakeToken, mayManageToken } from "../access/tenant-admin.ts";
import { CodedError } from "../golang/coded-error.ts";
import type { Route } from "../http/route.ts";
import {
  type Administration,
  actorOf,
  admins,
  holders,
  jsonAnswer,
  orLine,
  pageOf,
  refuseManaging,
} from "./administration.ts";
import { type KeysBody, keysBody, type TokenBody, tokenBody } from "./bodies.ts";
import { shownToken } from "./shown-token.ts";

const json = "application/json";

/** Tokens over HTTP: an admin's all, and those of their tenant for who manages it. */
export function tokenRoutes(parts: Administration): readonly Route[] {
  const { store, tokens, tenants, now } = parts;
  const list: Route["handler"] = async (request) => {
    const { identity } = request;
    if (identity.role !== "admin" && managedTenants(identity, tenants).length === 0) return refuseManaging(request);
    return await orLine(async () => {
      const page = pageOf(new URLSearchParams(request.query ?? ""));
      const { items, next } = await listManagedTokens(store, identity, tenants, now() / 1000, page);
      return jsonAnswer({ items: items.map(shownToken), ...(next !== undefined && { next }) });
    });
  };
  const create: Route["handler"] = async (request) => {
    const body = request.input as TokenBody;
    if (!mayMakeToken(request.identity, body, tenants)) return refuseManaging(request);
    return await orLine(async () => {
      const { token, record } = await tokens.create(actorOf(request, tenants), body);
      return jsonAnswer({ token, ...shownToken(record) }, 201);
    });
  };
  const revoke: Route["handler"] = async (request) => {
    const { identity, parameters } = request;
    if (identity.role !== "admin" && managedTenants(identity, tenants).length === 0) return refuseManaging(request);
    return await orLine(async () => {
      await tokens.revoke(actorOf(request, tenants), parameters?.id ?? "", (record) => {
        // Of another tenant's token nothing is told, not even that it is there.
        if (!mayManageToken(identity, record, tenants)) throw new CodedError("no-such-token", unknown);
      });
      return jsonAnswer({ id: parameters?.id });
    });
  };
  const rotate: Route["handler"] = (request) =>
    orLine(async () => {
      const { dropOld } = request.input as KeysBody;
      return jsonAnswer({ key: await tokens.rotateKey(actorOf(request, tenants), { dropOld }) });
    });
  return [
    {
      name: "tokens",
      address: "/-/api/tokens",
      methods: ["GET", "HEAD"],
      access: holders,
      output: { contentType: json, about: "The tokens that the asker manages, without the tokens themselves." },
      handler: list,
    },
    {
      name: "token-create",
      address: "/-/api/tokens",
      methods: ["POST"],
      access: holders,
      input: tokenBody,
      output: { contentType: json, about: "201 with the new token, which is shown this once." },
      handler: create,
    },
    {
      name: "token-revoke",
      address: "/-/api/tokens/<id>",
      methods: ["DELETE"],
      access: holders,
      output: { contentType: json, about: "Its id: the token is refused within seconds." },
      handler: revoke,
    },
    {
      name: "token-keys",
      address: "/-/api/token-keys",
      methods: ["POST"],
      access: admins,
      input: keysBody,
      output: { contentType: json, about: "The id of the key that signs tokens now; older ones may have ended." },
      handler: rotate,
    },
  ];
}

const unknown = "no token has this id, or it has ended: modfront token list shows them";
