import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { connect } from "node:tls";
import { auditFile, openAuditDatabase } from "../../../lambda/local/data/audit-database.ts";
import { SqliteAuditLog } from "../../../lambda/local/data/sqlite-audit-log.ts";
import { type Certificate, makeCertificate, skipWithoutOpenssl } from "../../support/certificate.ts";
import { CertificateAuthority, shown } from "../../support/certificate-authority.ts";
import { makeDataFolder } from "../../support/data-folder.ts";
import { type Product, startProduct } from "../../support/product.ts";

// Client certificates that are real, through the front door of the composed product over TLS.

describe("client certificates", { skip: skipWithoutOpenssl }, () => {
  const folder = makeDataFolder();
  let product: Product;
  let ours: CertificateAuthority;
  let server: Certificate;

  const start = async (clientCa: string | undefined) => {
    const authorities = clientCa === undefined ? {} : { clientCa };
    return await startProduct({
      data: folder.path,
      tls: { ...server, ...authorities },
      config: {
        upstreams: [{ patterns: "*", chain: "off" }],
        sumdb: { name: "off" },
        access: { anonymous: "none" },
        mtls: { rules: [{ subject: "CN=*.ci.corp.example,O=Corp", role: "publisher", modules: "corp.example" }] },
      },
    });
  };

  before(async () => {
    server = makeCertificate(folder.path);
    ours = new CertificateAuthority(folder.path, "ours");
    product = await start(ours.cert);
  });

  after(async () => {
    await product?.stop();
    folder.remove();
  });

  const ask = async (
    certificate: Certificate | undefined,
    { path = "/-/token", method = "POST", to = product } = {},
  ) => {
    const tls = { ca: readFileSync(server.cert), agent: false, ...(certificate && shown(certificate)) } as const;
    const sent = request(`${to.url}${path}`, { method, ...tls }).end();
    const [answer] = await once(sent, "response");
    return { status: answer.statusCode as number, text: await text(answer) };
  };

  test("a certificate of ours becomes the token of its rule, again and again, and the audit has its subject", async () => {
    const certificate = ours.issue({ subject: "/O=Corp/CN=build-1.ci.corp.example" });
    const { status, text: answer } = await ask(certificate);
    assert.equal(status, 200, answer);
    assert.equal((await ask(certificate)).status, 200);
    const [id, role, , subject, modules] = JSON.parse(
      Buffer.from(JSON.parse(answer).token.slice(3).split(".")[0], "base64url").toString(),
    );
    assert.deepEqual([role, subject, modules], ["publisher", "CN=build-1.ci.corp.example,O=Corp", "corp.example"]);
    const database = openAuditDatabase(join(folder.path, auditFile));
    const { events } = await new SqliteAuditLog(database).query({ since: 0, until: 9e15, limit: 9, who: id });
    database.close();
    const [event] = events;
    assert.deepEqual(
      [event?.action, event?.subject, event?.rule, event?.decision],
      ["token.exchange", subject, "mtls.rules.0", "done"],
    );
    assert.match(event?.target ?? "", /^certificate [0-9A-F]+$/);
    assert.match((await ask(undefined, { method: "GET" })).text, /"certificates":true/);
  });

  test("no certificate, one of another authority, one that has ended or is for something else: no token", async () => {
    const subject = "/O=Corp/CN=build-1.ci.corp.example";
    const theirs = new CertificateAuthority(folder.path, "theirs");
    const rows: readonly (readonly [
      what: string,
      certificate: Certificate | undefined,
      status: number,
      line: RegExp,
    ])[] = [
      ["none", undefined, 401, /^an ID token is expected/],
      ["another authority's", theirs.issue({ subject }), 401, /^an ID token is expected/],
      ["one that signs itself", makeCertificate(theirs.cert.replace(/[^/]*$/, "")), 401, /^an ID token is expected/],
      ["expired", ours.issue({ subject, expired: true }), 401, /^an ID token is expected/],
      ["a server's", ours.issue({ subject, extensions: "extendedKeyUsage=serverAuth" }), 401, /./],
      [
        "an authority's",
        ours.issue({ subject, extensions: "basicConstraints=critical,CA:TRUE" }),
        401,
        /of an authority/,
      ],
      [
        "another subject",
        ours.issue({ subject: "/O=Corp/CN=laptop.corp.example" }),
        403,
        /^no rule of this certificate fits; looked at: subject$/,
      ],
      ["an escaped subject", ours.issue({ subject: "/CN=x.ci.corp.example,O=Corp" }), 403, /^no rule/],
    ];
    for (const [what, certificate, status, line] of rows) {
      const got = await ask(certificate);
      assert.equal(got.status, status, `${what}: ${got.text}`);
      assert.match(got.text.trimEnd(), line, what);
    }
  });

  test("who shows none, or a wrong one, is served otherwise as ever", async () => {
    const theirs = new CertificateAuthority(folder.path, "others");
    for (const certificate of [undefined, theirs.issue({ subject: "/CN=x" })])
      assert.equal((await ask(certificate, { path: "/-/live", method: "GET" })).status, 200);
  });

  /** Asks for a token on a TLS session of before, or a new one, and hands on the session. */
  const askAgain = async (certificate: Certificate | undefined, session: Buffer | undefined) => {
    const { port } = new URL(product.url);
    const ours = { ca: readFileSync(server.cert), ...(certificate && shown(certificate)) };
    const socket = connect({ port: Number(port), host: "127.0.0.1", ...ours, ...(session && { session }) });
    let given: Buffer | undefined;
    socket.on("session", (next) => {
      given = next;
    });
    await once(socket, "secureConnect");
    const isReused = socket.isSessionReused();
    socket.write("POST /-/token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    const head = await text(socket);
    return { isReused, status: head.slice(9, 12), session: given };
  };

  test("a session that is resumed is of the certificate that it began with", async () => {
    const right = ours.issue({ subject: "/O=Corp/CN=build-1.ci.corp.example" });
    const wrong = new CertificateAuthority(folder.path, "strangers").issue({
      subject: "/O=Corp/CN=build-1.ci.corp.example",
    });
    for (const [certificate, status] of [
      [right, "200"],
      [wrong, "401"],
      [undefined, "401"],
    ] as const) {
      const first = await askAgain(certificate, undefined);
      assert.deepEqual([first.isReused, first.status], [false, status]);
      const again = await askAgain(certificate, first.session);
      assert.deepEqual([again.isReused, again.status], [true, status]);
    }
  });

  test("without --tls-client-ca nobody is asked for one", async () => {
    const other = await start(undefined);
    try {
      assert.equal((await ask(ours.issue({ subject: "/O=Corp/CN=a.ci.corp.example" }), { to: other })).status, 401);
    } finally {
      await other.stop();
    }
  });

  test("a file without certificates ends the start", async () => {
    const empty = join(folder.path, "empty.pem");
    writeFileSync(empty, "none\n");
    for (const file of [empty, join(folder.path, "missing.pem"), ours.cert.replace("ca.pem", "ca-key.pem")])
      await assert.rejects(
        start(file).then((started) => started.stop()),
        { code: "start", message: /--tls-client-ca/ },
      );
  });
});
