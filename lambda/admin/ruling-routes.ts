import { mayManageModule } from "../access/tenant-admin.ts";
import type { Tenants } from "../access/tenants.ts";
import type { AccessSettings } from "../edge/access-settings.ts";
import { type Access, denial } from "../edge/permit.ts";
import type { Identity } from "../edge/token.ts";
import { CodedError } from "../golang/coded-error.ts";
import type { AdmittedRequest } from "../http/handler.ts";
import type { Route } from "../http/route.ts";
import { nextTurn } from "../proxy/store/in-turns.ts";
import type { Ruling, RulingName, RulingPage } from "../proxy/store/ruling-store.ts";
import { actorOf, jsonAnswer, orLine, pageOf, refuseManaging } from "./administration.ts";
import type { AuditedRulings } from "./audited-rulings.ts";
import { type RulingBody, rulingBody } from "./bodies.ts";

export interface RulingAdministration {
  readonly rulings: AuditedRulings;
  readonly tenants: Tenants;
  /** Which modules are private, and whose. */
  readonly access: AccessSettings;
}

/** Whose token covers the module; which roles may rule about it the handlers find. */
const covered: Access = {
  ...{ anonymous: "no", viewer: "covered", publisher: "covered", operator: "covered", admin: "covered" },
};

/** Rulings that are read at once, most of which may be others'. */
const readAtOnce = 1000;

const contentType = "application/json";

/** What people rule. */
type Ruled = "block" | "exception";

/** What is blocked, over HTTP: for operators, and for who manages a tenant its modules, private ones for whom a pattern covers. */
export function blockRoutes(parts: RulingAdministration): readonly Route[] {
  const address = "/-/api/blocks/<module>[@<version>]";
  return [
    {
      ...{ name: "blocks", address: "/-/api/blocks", methods: ["GET", "HEAD"], access: covered },
      output: { contentType, about: "What is blocked, as far as the asker may read and rule about it." },
      handler: (request) => list(parts, "block", request),
    },
    {
      ...{ name: "block", address, methods: ["PUT"], access: covered, input: rulingBody },
      output: { contentType, about: "The block: it is refused everywhere within seconds." },
      handler: (request) => change(parts, "block", request, request.input as RulingBody),
    },
    {
      ...{ name: "unblock", address, methods: ["DELETE"], access: covered },
      output: { contentType, about: "What is blocked no longer." },
      handler: (request) => change(parts, "block", request, undefined),
    },
  ];
}

/** What comes in although the policy refuses it, over HTTP: for operators alone, since the policy is of the whole organisation. */
export function exceptionRoutes(parts: RulingAdministration): readonly Route[] {
  const address = "/-/api/exceptions/<module>[@<version>]";
  return [
    {
      ...{ name: "exceptions", address: "/-/api/exceptions", methods: ["GET", "HEAD"], access: covered },
      output: {
        contentType,
        about: "What is excepted from the policy, as far as the asker may read and rule about it.",
      },
      handler: (request) => list(parts, "exception", request),
    },
    {
      ...{ name: "except", address, methods: ["PUT"], access: covered, input: rulingBody },
      output: { contentType, about: "The exception: it may come in within seconds, and until it ends." },
      handler: (request) => change(parts, "exception", request, request.input as RulingBody),
    },
    {
      ...{ name: "end-exception", address, methods: ["DELETE"], access: covered },
      output: { contentType, about: "What is excepted no longer." },
      handler: (request) => change(parts, "exception", request, undefined),
    },
  ];
}

/** True for who may rule about a module that they may read. */
function mayRule({ tenants, access }: RulingAdministration, kind: Ruled, identity: Identity, module: string): boolean {
  if (denial(covered, access, identity, module) !== undefined) return false;
  if (identity.role === "operator" || identity.role === "admin") return true;
  return kind === "block" && mayManageModule(identity, module, tenants);
}

const change = async (
  parts: RulingAdministration,
  kind: Ruled,
  request: AdmittedRequest,
  body: RulingBody | undefined,
) => {
  const { module = "", version = "" } = request.parameters ?? {};
  if (!mayRule(parts, kind, request.identity, module)) return refuseManaging(request);
  return await orLine(async () => {
    const { rulings, tenants } = parts;
    const { role } = request.identity;
    const asked = actorOf(request, tenants);
    const actor = { ...asked, rule: role === "operator" ? role : asked.rule };
    const name = { kind, module, version };
    if (body !== undefined) return jsonAnswer(shownRuling(await rulings.set(actor, { ...name, ...body })));
    await rulings.remove(actor, name);
    return jsonAnswer({ module, ...(version !== "" && { version }) });
  });
};

const list = async (parts: RulingAdministration, kind: Ruled, request: AdmittedRequest) =>
  await orLine(async () => {
    const { limit, after } = pageOf(new URLSearchParams(request.query ?? ""));
    const { items, next } = await ownPage(parts, kind, request.identity, { limit, after });
    return jsonAnswer({ items: items.map(shownRuling), ...(next && { next: formatPlace(next) }) });
  });

/** A page of what the asker may rule about. Where the next one begins is one of these: another's would say that it is there. */
async function ownPage(
  parts: RulingAdministration,
  kind: Ruled,
  identity: Identity,
  { limit, after }: { readonly limit: number; readonly after: string | undefined },
): Promise<RulingPage> {
  const own: Ruling[] = [];
  let place = after === undefined ? undefined : parsePlace(kind, after);
  do {
    const page: RulingPage = await parts.rulings.store.list(kind, readAtOnce, place);
    own.push(...page.items.filter(({ module }) => mayRule(parts, kind, identity, module)));
    place = page.next;
    await nextTurn();
  } while (place !== undefined && own.length <= limit);
  const items = own.slice(0, limit);
  return own.length > limit ? { items, next: items.at(-1) } : { items };
}

function formatPlace({ module, version }: RulingName): string {
  return Buffer.from(`${module}@${version}`).toString("base64url");
}

function parsePlace(kind: Ruled, text: string): RulingName {
  const [, module, version] = /^([^@]+)@([^@]*)$/.exec(Buffer.from(text, "base64url").toString()) ?? [];
  if (module === undefined || version === undefined) throw new CodedError("bad-page", "after: no such page");
  return { kind, module, version };
}

/** A ruling as JSON shows it. */
export function shownRuling({ module, version, reason, until, by, at }: Ruling) {
  return {
    module,
    ...(version !== "" && { version }),
    reason,
    ...(until !== undefined && { until: new Date(until).toISOString().slice(0, 10) }),
    by,
    at: new Date(at).toISOString(),
  };
}
