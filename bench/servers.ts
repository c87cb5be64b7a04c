import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { ReplayControl, ReplayReport } from "./replay-upstream.ts";
import { readUsage, type Usage } from "./usage.ts";

/** A process that is measured, or asked by one that is. */
export interface Measured extends AsyncDisposable {
  readonly url: string;
  /** What it and its children have used so far. */
  usage(): Usage;
}

const here = import.meta.dirname;

/** Starts a program and takes the first URL that it prints for its address. */
async function startProgram(command: string, args: readonly string[]): Promise<Measured> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  let url: string | undefined;
  for await (const line of createInterface(child.stdout)) {
    url = /http:\/\/[\d.]+:\d+/.exec(line)?.[0];
    if (url !== undefined) break;
  }
  if (url === undefined) throw new Error(`${args[0]} did not start`);
  child.stdout.resume();
  return measured(url, child);
}

function measured(url: string, child: ChildProcess): Measured {
  const { pid = 0 } = child;
  return {
    url,
    usage: () => readUsage(pid),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}

/** modfront on a data folder, as `npm start -- --log off` runs it. */
export function startModfront(data: string, args: readonly string[]): Promise<Measured> {
  const start = join(here, "../bin/start.mjs");
  return startProgram(process.execPath, [start, "--port", "0", "--log", "off", "--data", data, ...args]);
}

/** node:http with one answer ready in memory. */
export function startBareNode(file: string, type: string): Promise<Measured> {
  return startProgram(process.execPath, [join(here, "bare-node.ts"), file, type]);
}

/** nginx as a cache in front of `upstream`: one worker, no access log, one request to the upstream for many. */
export async function startNginx(folder: string, upstream: string): Promise<Measured> {
  const port = await freePort();
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "nginx.conf");
  writeFileSync(file, nginxConfiguration(folder, port, new URL(upstream).host));
  const child = spawn("nginx", ["-c", file, "-p", folder, "-e", join(folder, "error.log")], { stdio: "inherit" });
  const url = `http://127.0.0.1:${port}`;
  await answering("nginx", url);
  return measured(url, child);
}

/** Another proxy, as `--peer name=command` says. */
export async function startPeer(name: string, command: string, folder: string, upstream: string): Promise<Measured> {
  const port = String(await freePort());
  mkdirSync(folder, { recursive: true });
  const values: Readonly<Record<string, string>> = { port, upstream, folder };
  const line = command.replace(/\{(port|upstream|folder)\}/g, (_, key: string) => values[key] ?? "");
  const child = spawn("sh", ["-c", `exec ${line}`], { stdio: ["ignore", "ignore", "inherit"] });
  const url = `http://127.0.0.1:${port}`;
  await answering(name, url);
  return measured(url, child);
}

/** As an operator would write it for a module proxy; the upstream sends no Cache-Control, so the times are here. */
function nginxConfiguration(folder: string, port: number, upstream: string): string {
  return `
    daemon off;
    ${process.getuid?.() === 0 ? "user root;" : ""}
    pid ${folder}/nginx.pid;
    worker_processes 1;
    events { worker_connections 1024; }
    http {
      access_log off;
      sendfile on;
      keepalive_requests 1000000000;
      client_body_temp_path ${folder}/body;
      proxy_temp_path ${folder}/proxy;
      fastcgi_temp_path ${folder}/fastcgi;
      uwsgi_temp_path ${folder}/uwsgi;
      scgi_temp_path ${folder}/scgi;
      proxy_cache_path ${folder}/cache levels=1:2 keys_zone=modules:64m max_size=20g inactive=7d use_temp_path=off;
      upstream real { server ${upstream}; keepalive 64; }
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass http://real;
          proxy_http_version 1.1;
          proxy_set_header Connection "";
          proxy_cache modules;
          proxy_cache_valid 200 7d;
          proxy_cache_valid 404 410 1m;
          proxy_cache_lock on;
          proxy_cache_lock_timeout 10m;
          proxy_cache_lock_age 10m;
        }
      }
    }`;
}

async function answering(name: string, url: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const answered = await fetch(`${url}/-/`).then(
      async (answer) => answer.body?.cancel().then(() => true),
      () => false,
    );
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${name} did not start`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** The upstream of every run; see replay-upstream.ts. */
export interface Replay extends AsyncDisposable {
  readonly url: string;
  /** Changes how it answers; what it was asked since it was told the last time. */
  tell(control: ReplayControl): Promise<ReplayReport>;
}

/** Starts the replaying upstream on a folder of recordings of `real`. */
export async function startReplay(folder: string, real: string): Promise<Replay> {
  const child = fork(join(here, "replay-upstream.ts"), [folder, real]);
  const heard = async () => ((await once(child, "message")) as [ReplayReport])[0];
  const { url } = await heard();
  return {
    url,
    tell: (control) => {
      const report = heard();
      child.send(control);
      return report;
    },
    [Symbol.asyncDispose]: async () => {
      child.disconnect();
      await once(child, "exit");
    },
  };
}
