import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Why tests in a browser cannot run here, or false when they can. */
export const withoutChromium: string | false = places.some((path) => existsSync(path))
  ? false
  : "there is no Chromium on this machine: apt-get install chromium";

/** Starts a headless Chromium that speaks to nobody but the pages it is sent to. */
export async function launchChromium(): Promise<Browser> {
  const executablePath = places.find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error(String(withoutChromium));
  return await chromium.launch({
    executablePath,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
