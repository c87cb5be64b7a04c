import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { type BuildOptions, type BuildResult, buildSync, type OutputFile } from "esbuild";
import { type HandlerName, type Settings, settingsFile } from "../lambda/config/env.ts";

const lambda = join(import.meta.dirname, "../lambda");

/** Threads have files of their own: of one that reads zips, and of the two behind `direct`. */
const threads = {
  "zip-worker": join(lambda, "runtime/zip-worker.ts"),
  "pack-worker": join(lambda, "upstream/git/repository/pack-worker.ts"),
  "zip-thread": join(lambda, "upstream/git/module/zip-thread.ts"),
};

/** What a bundle holds beside its handler. */
const besides: Partial<Record<HandlerName, Readonly<Record<string, string>>>> = { fill: threads, background: threads };

/** Dependencies that are not ES modules call `require`, which an ES module has to make for them. */
const requireForCommonJs = 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);';

const nodeHttp = join(lambda, "runtime/node-http.ts");

/** What dependencies get in place of more than they need. */
const alias = {
  http: nodeHttp,
  "node:http": nodeHttp,
  "@aws-sdk/credential-provider-node": join(lambda, "aws/lambda-credentials.ts"),
};

/** How a handler becomes one minified file for Lambda's Node 24, the same bytes on every machine. */
function bundleOptions(name: HandlerName) {
  return {
    entryPoints: {
      index: join(lambda, `${name}.ts`),
      ...besides[name],
    },
    outdir: "/bundle",
    write: false,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    minify: true,
    metafile: true,
    platform: "node",
    target: "node24",
    format: "esm",
    mainFields: ["module", "main"],
    alias,
    legalComments: "none",
    logLevel: "warning",
    banner: { js: requireForCommonJs },
  } as const satisfies BuildOptions;
}

/** A new folder with the handler's bundle and its settings. It is removed with this process: the CDK copies it at synth. */
export function bundleHandler<Name extends HandlerName>(name: Name, settings: Settings<Name>): string {
  const folder = mkdtempSync(join(tmpdir(), "modfront-bundle-"));
  if (folders.push(folder) === 1) process.once("exit", removeFolders);
  for (const { path, contents } of build(name)) writeFileSync(join(folder, basename(path)), contents);
  writeFileSync(join(folder, settingsFile), `${JSON.stringify(settings)}\n`);
  return folder;
}

const built = new Map<HandlerName, readonly OutputFile[]>();

/** The files of a bundle; of the same handler only once, for tests that synthesise often. */
function build(name: HandlerName): readonly OutputFile[] {
  const files = built.get(name) ?? inspectBundle(name).outputFiles;
  built.set(name, files);
  return files;
}

const folders: string[] = [];

function removeFolders(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

/** The bundle's files and what they were made of, in memory. */
export function inspectBundle(name: HandlerName): BuildResult<{ metafile: true; write: false }> {
  return buildSync(bundleOptions(name));
}
