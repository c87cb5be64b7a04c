import assert from "node:assert/strict";
import { homedir } from "node:os";
import { test } from "node:test";
import { configFolder } from "../../../bin/login/config-folder.ts";
import { browserCommand } from "../../../bin/login/open-browser.ts";

type Environment = Readonly<Record<string, string>>;

test("what is one person's lies where each system keeps such things", () => {
  const rows: readonly (readonly [platform: string, environment: Environment, folder: string])[] = [
    ["linux", { HOME: "/home/g" }, "/home/g/.config/modfront"],
    ["linux", { HOME: "/home/g", XDG_CONFIG_HOME: "/etc/g" }, "/etc/g/modfront"],
    ["linux", { HOME: "/home/g", XDG_CONFIG_HOME: "relative" }, "/home/g/.config/modfront"],
    ["linux", { HOME: "/home/g", XDG_CONFIG_HOME: "", APPDATA: "C:\\x" }, "/home/g/.config/modfront"],
    ["freebsd", {}, `${homedir()}/.config/modfront`],
    ["darwin", { HOME: "/Users/g", XDG_CONFIG_HOME: "/x" }, "/Users/g/Library/Application Support/modfront"],
    ["win32", { APPDATA: "C:\\Users\\g\\AppData\\Roaming" }, "C:\\Users\\g\\AppData\\Roaming\\modfront"],
    ["win32", { USERPROFILE: "C:\\Users\\g", HOME: "/c/Users/g" }, "C:\\Users\\g\\AppData\\Roaming\\modfront"],
  ];
  for (const [platform, environment, folder] of rows) assert.equal(configFolder({ platform, environment }), folder);
});

test("an address is one argument of the program that opens it, on each system", () => {
  const url = "https://login.example/?a=1&b=$(x)";
  const rows: readonly (readonly [platform: string, environment: Environment, command: readonly string[]])[] = [
    ["linux", {}, ["xdg-open", url]],
    ["darwin", {}, ["open", url]],
    ["win32", {}, ["rundll32", "url.dll,FileProtocolHandler", url]],
    ["linux", { BROWSER: "firefox --new-tab" }, ["firefox", "--new-tab", url]],
    ["linux", { BROWSER: "firefox %s --new-tab" }, ["firefox", url, "--new-tab"]],
    ["linux", { BROWSER: " " }, ["xdg-open", url]],
  ];
  for (const [platform, environment, command] of rows)
    assert.deepEqual(browserCommand({ platform, environment }, url), command);
});
