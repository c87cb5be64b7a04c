import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "../../../lambda/config/config.ts";
import { generateKey } from "../../../lambda/golang/note.ts";
import { greeting } from "../../../lambda/local/server/greeting.ts";
import { readSettings } from "../../../lambda/local/server/settings.ts";

const start = (host: string, address: string, config = "{}"): string => {
  const args = ["--host", host, "--data", "my data"];
  const settings = readSettings({ args, environment: {}, isTerminal: false, goEnvProxy: () => undefined });
  return greeting({ ...settings, config: parseConfig(config) }, { url: address, gosumdb: ownLog });
};

const ownLog = "0123abcd.modfront+00112233+AAAA";
const paste = (address: string) => `modfront serves Go modules. Paste:\n\n    export GOPROXY=${address}\n`;
const orOwn = `\nOr with its own checksum database, which has private modules too:\n\n    export GOSUMDB=${ownLog}\n`;

test("on loopback the lines to paste are all it takes, of which one is enough for private modules", () => {
  assert.equal(start("127.0.0.1", "http://127.0.0.1:8080"), `${paste("http://127.0.0.1:8080")}${orOwn}\n`);
  const { vkey } = generateKey("sum.example.com");
  const settings = JSON.stringify({ private: ["corp.example/*", "*.corp.example"], sumdb: { name: vkey } });
  assert.equal(
    start("::1", "http://[::1]:8080", settings),
    `${paste("http://[::1]:8080")}    export GOSUMDB=${ownLog}\n\n`,
  );
});

test("elsewhere it says how to make a token and where it goes", () => {
  const create = (modules: string) =>
    `    npm run -s modfront -- token create --subject NAME${modules} --data 'my data'\n\n`;
  assert.equal(
    start("0.0.0.0", "https://10.0.0.1:8443"),
    `${paste("https://10.0.0.1:8443")}${orOwn}\nWithout a token nothing is served. To make one:\n\n${create("")}` +
      "A line in ~/.netrc, with it in place of TOKEN:\n\n" +
      "    machine 10.0.0.1:8443 login modfront password TOKEN\n\n",
  );
  const said = start("127.0.0.1", "http://127.0.0.1:1", '{"access":{"anonymous":"public"},"private":"corp.example/*"}');
  assert.ok(said.includes("Without a token private modules are not served. To make one:"));
  assert.ok(said.includes(create(" --modules 'corp.example/*'")));
  assert.match(said, /https only: add --tls-cert and --tls-key/);
  assert.ok(!said.includes("netrc"));
});
