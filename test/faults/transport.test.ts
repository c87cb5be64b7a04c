import assert from "node:assert/strict";
import { test } from "node:test";
import { type AskedKind, type Cell, CellTable, fileKinds } from "../support/cells.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryNames } from "../support/product.ts";
import type { Reply } from "../support/scripted-upstream.ts";

// What can go wrong on the wire, for each kind of file. Nothing of it is stored, and a healthy upstream mends it.

interface WireCell extends Cell {
  readonly expected: number;
}

const body = "v1.0.0\n".repeat(200);
const timeouts = { connect: 2000, firstByte: 700, idle: 700 };

/** What the upstream does, and what the client is told. */
const faults: readonly (readonly [name: string, reply: Reply, expected: number])[] = [
  ["reset before the first byte", { body, fault: "reset-before" }, 502],
  ["reset in the middle", { body, fault: "reset-mid" }, 502],
  ["reset before the last byte", { body, fault: "reset-end" }, 502],
  ["reset before the last chunk", { body, fault: "reset-end", framing: "chunked" }, 502],
  ["truncated, with Content-Length", { body, fault: "cut" }, 502],
  ["truncated, in chunks", { body, fault: "cut", framing: "chunked" }, 502],
  ["truncated, without either", { body, fault: "cut", framing: "close" }, 502],
  // Whole, but not to be told from a cut one.
  ["ended by closing the connection", { body, framing: "close" }, 502],
  ["hanging before headers", { body, fault: "hang-before" }, 504],
  ["hanging in the middle", { body, fault: "hang-mid" }, 504],
  ["redirect to nowhere", { status: 302 }, 502],
  ["redirect to a file", { status: 302, headers: { location: "file:///etc/passwd" } }, 502],
  ["10 GB declared", { body, headers: { "content-length": String(10 * 2 ** 30) }, fault: "cut" }, 502],
  ["compressed", { body, headers: { "content-encoding": "gzip" } }, 502],
  ["a length that is no number", { body, headers: { "content-length": "x" }, framing: "close" }, 502],
];

function cells(kind: AskedKind): readonly WireCell[] {
  const wire = faults.map(([name, reply, expected]) => ({ name: `${kind}: ${name}`, kind, reply, expected }));
  return [
    ...wire,
    { name: `${kind}: connection refused`, kind, reply: {}, chain: "REFUSED", expected: 502 },
    {
      name: `${kind}: connection refused, then a healthy one`,
      kind,
      reply: {},
      chain: "REFUSED|HEALTHY",
      expected: 200,
    },
    {
      name: `${kind}: reset, then a healthy one`,
      kind,
      reply: { fault: "reset-mid", body },
      chain: "FAULTY|HEALTHY",
      expected: 200,
    },
    {
      name: `${kind}: reset, and no other is asked`,
      kind,
      reply: { fault: "reset-mid", body },
      chain: "FAULTY,HEALTHY",
      expected: 502,
    },
  ];
}

for (const kind of fileKinds) {
  test(`trouble on the way to ${kind} is an outage by name, never a 404, and passes`, async (t) => {
    const table = await CellTable.start(t, cells(kind), { timeouts });
    for (const [tried, { status, body: text }] of await table.askAll()) {
      const { cell } = tried;
      assert.equal(status, cell.expected, `${cell.name}: ${text}`);
      if (status === 200) continue;
      assert.match(text.toString(), /upstream http:\/\/127\.0\.0\.1:\d+ /, cell.name);
      assert.doesNotMatch(text.toString(), /ECONN|ERR_|HPE_|\/tmp|FAULTY/, cell.name);
      assert.ok(!table.stored(tried).includes(`.${kind}`), cell.name);
    }
    await eventually(() => temporaryNames(table.data).length === 0);
    table.heal();
    for (const [{ cell }, { status, body: text }] of await table.askAll()) {
      if (cell.chain !== "REFUSED") assert.equal(status, 200, `${cell.name}, healed: ${text}`);
    }
  });
}

test("a body that trickles is waited for as long as it comes", async (t) => {
  const reply: Cell["reply"] = (module) => ({ body: module.mod, fault: "trickle", every: 60 });
  const table = await CellTable.start(t, [{ name: "trickle", kind: "mod", reply }], { timeouts });
  // 20 bytes or more in longer than the idle timeout.
  for (const [{ module }, { status, body }] of await table.askAll()) {
    assert.deepEqual([status, body.toString()], [200, Buffer.from(module.mod).toString()]);
  }
});

test("a redirect loop and a redirect to a login page", async (t) => {
  const page = { body: "<!doctype html><title>Sign in</title>", headers: { "content-type": "text/html" } };
  const login = { status: 302, headers: { location: "/login" } };
  const kinds = ["list", "info", "mod", "zip", "query"] as const;
  const table = await CellTable.start(t, [
    ...kinds.map((kind) => ({ name: `${kind}: login`, kind, reply: login })),
    ...kinds.map((kind) => ({ name: `${kind}: nowhere`, kind, reply: { status: 302, headers: { location: "" } } })),
    ...kinds.map((kind) => ({ name: `${kind}: page`, kind, reply: page })),
    ...kinds.map((kind) => ({
      name: `${kind}: loop`,
      kind,
      reply: { status: 307, headers: { location: "?again" } },
    })),
  ]);
  table.serve("/login", page);
  for (const [tried, { status, body }] of await table.askAll()) {
    assert.equal(status, 502, `${tried.cell.name}: ${body}`);
    assert.ok(!table.stored(tried).includes(`.${tried.cell.kind}`), tried.cell.name);
  }
  table.heal();
  for (const [{ cell }, { status }] of await table.askAll()) assert.equal(status, 200, cell.name);
});

test("a body without end is broken off at the limit of its kind", async (t) => {
  const reply = { body: Buffer.alloc(1 << 20, "v1.0.0\n"), fault: "endless", framing: "chunked" } as const;
  const limits = { info: 1, query: 1, list: 4, mod: 16 } as const;
  for (const [kind, limit] of Object.entries(limits)) {
    const table = await CellTable.start(t, [{ name: kind, kind: kind as AskedKind, reply }]);
    for (const [, { status, body }] of await table.askAll()) {
      assert.equal(status, 502);
      assert.match(body.toString(), /sent more than \d+ bytes/);
    }
    // The sockets' buffers on both sides come on top.
    assert.ok(table.bytesSent < (limit + 16) << 20, `${kind}: ${table.bytesSent} bytes were taken`);
    await eventually(() => temporaryNames(table.data).length === 0);
  }
});
