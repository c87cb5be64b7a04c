import type { Tenants } from "../access/tenants.ts";
import { actorOf, jsonAnswer } from "../admin/administration.ts";
import type { Access } from "../edge/permit.ts";
import { CodedError } from "../golang/coded-error.ts";
import type { AdmittedRequest } from "../http/handler.ts";
import { lineAnswer } from "../http/problem.ts";
import type { HttpAnswer, HttpResult } from "../http/result.ts";
import type { Route } from "../http/route.ts";
import type { PublicationReport, Published } from "../proxy/store/fill-plane.ts";
import type { ModuleVersion } from "../proxy/store/layout.ts";
import { ServedError } from "../proxy/store/served-error.ts";
import { type PlaceBody, placeBody, reportQuery } from "./bodies.ts";
import { ConflictError, type Publications } from "./publications.ts";
import type { UploadPlaces, Uploads } from "./uploads.ts";
import { largestZip } from "./uploads.ts";

export interface PublishRoutesParts {
  readonly publications: Publications;
  readonly uploads: Uploads;
  /** Bytes that may come in one request. */
  readonly largestRequest: number;
  /** Where larger ones are put, where there are such places. */
  readonly places?: UploadPlaces | undefined;
  readonly tenants: Tenants;
}

/** Whose patterns cover a private module, in a role that writes. */
export const publishers: Access = {
  anonymous: "no",
  viewer: "no",
  publisher: "covered",
  operator: "covered",
  admin: "covered",
};

const address = "/-/publish/<module>/@v/<version>.zip";
const about = "201 (new) or 200 (the same was there) with the hashes; 409 with those of what is there instead.";
const output = { contentType: "application/json", about };

/** Publishing over HTTP: a zip in one request, or by a place for it and a second request. */
export function publishRoutes(parts: PublishRoutesParts): readonly Route[] {
  const put: Route["handler"] = (request) =>
    answered(async () => {
      const { uploads, largestRequest } = parts;
      const report = reportOf(request);
      const declared = Number(request.headers["content-length"] ?? 0);
      if (declared > largestRequest) throw tooLarge(largestRequest);
      const upload = await uploads.receive(request.chunks?.() ?? nothing(), {
        limit: largestRequest,
        by: request.identity.id,
      });
      try {
        return publishedAnswer(moduleOf(request), await publish(parts, request, upload, report));
      } finally {
        await uploads.remove(upload);
      }
    });
  const post: Route["handler"] = (request) =>
    answered(async () => {
      const { upload } = queryOf(request);
      return upload === undefined ? await placeFor(parts, request) : await commit(parts, request, upload);
    });
  const rows = [{ name: "publish", address, methods: ["PUT"], access: publishers, output, handler: put }];
  if (parts.places === undefined) return rows;
  return [
    ...rows,
    {
      ...{ name: "publish-staged", address, methods: ["POST"], access: publishers, input: placeBody },
      output: { ...output, about: `Where to put a zip, and the address that commits it: ${about}` },
      handler: post,
    },
  ];
}

async function* nothing(): AsyncIterable<Uint8Array> {}

function publish({ publications, tenants }: PublishRoutesParts, request: AdmittedRequest, ...what: Upload) {
  const actor = { ...actorOf(request, tenants), rule: request.identity.role };
  return publications.publish(actor, moduleOf(request), ...what);
}

type Upload = readonly [upload: string, report: PublicationReport];

async function placeFor({ places }: PublishRoutesParts, request: AdmittedRequest): Promise<HttpAnswer> {
  const { size, sha256, ...report } = request.input as PlaceBody;
  if (size === undefined || places === undefined) throw new CodedError("bad-publication", "size: expected bytes");
  if (size > largestZip) throw tooLarge(largestZip);
  const { id, url, headers } = await places.open({ size, sha256 });
  const said = Object.entries(report).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const query = new URLSearchParams(said);
  query.set("upload", `${id}.${await places.seal(sealedText(request, id))}`);
  return jsonAnswer({ upload: { url, headers }, commit: `${request.routed.path}?${query}` });
}

async function commit(parts: PublishRoutesParts, request: AdmittedRequest, upload: string): Promise<HttpAnswer> {
  const [, id = "", seal = ""] = /^([\w-]{1,64})\.([\w-]{1,64})$/.exec(upload) ?? [];
  if (!(await parts.places?.isSealed(sealedText(request, id), seal)))
    throw new CodedError("bad-publication", "upload: this place was given to somebody else, or for another version");
  try {
    return publishedAnswer(moduleOf(request), await publish(parts, request, id, reportOf(request)));
  } catch (error) {
    // It goes on, and who asks again is told how it ended.
    if (!isUnderWay(error)) throw error;
    const later = jsonAnswer({}, 202);
    return { ...later, headers: { ...later.headers, location: `${request.routed.path}?${request.query}` } };
  }
}

/** A place is its taker's, whose tokens may be renewed meanwhile, and for one version. */
function sealedText({ identity, routed }: AdmittedRequest, id: string): string {
  return JSON.stringify([identity.subject, routed.path, id]);
}

function isUnderWay(error: unknown): boolean {
  return error instanceof ServedError && error.code === "fill-timeout";
}

function moduleOf({ parameters }: AdmittedRequest): ModuleVersion {
  return { path: parameters?.module ?? "", version: parameters?.version ?? "" };
}

function queryOf({ query = "" }: AdmittedRequest) {
  const { data, error } = reportQuery.safeParse(Object.fromEntries(new URLSearchParams(query)));
  if (data !== undefined) return data;
  const [issue] = error.issues;
  throw new CodedError("bad-publication", `${issue?.path.join(".") || "the query"}: ${issue?.message}`.slice(0, 300));
}

function reportOf(request: AdmittedRequest): PublicationReport {
  const { tag, commit, api, base } = queryOf(request);
  return { tag, commit, ...(api !== undefined && base !== undefined && { api: { base, verdict: api } }) };
}

function publishedAnswer({ path, version }: ModuleVersion, { outcome, sum, goModSum }: Published): HttpAnswer {
  return jsonAnswer({ path, version, sum, goModSum }, outcome === "new" ? 201 : 200);
}

function tooLarge(limit: number): CodedError {
  return new CodedError("upload-too-large", `the zip has more than ${limit} bytes`);
}

const statuses: Readonly<Record<string, number>> = {
  "bad-publication": 400,
  "upload-too-large": 413,
  "publish-refused": 422,
  "too-many-uploads": 429,
};

async function answered(work: () => Promise<HttpResult>): Promise<HttpResult> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ConflictError) return conflictAnswer(error);
    // To be sent again, and not, as a file that is waited for, elsewhere.
    if (isUnderWay(error)) return again(503, "this version is still coming in; send it again");
    const status = error instanceof CodedError ? statuses[error.code] : undefined;
    if (status === undefined) throw error;
    const { message } = error as CodedError;
    return status === 429 ? again(status, message) : lineAnswer(status, message);
  }
}

function again(status: number, line: string): HttpAnswer {
  const answer = lineAnswer(status, line);
  return { ...answer, headers: { ...answer.headers, "retry-after": "5" } };
}

function conflictAnswer({ message, published: { sum, goModSum, stored } }: ConflictError): HttpAnswer {
  return jsonAnswer({ detail: message, sum, goModSum, stored }, 409);
}
