import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";

// npm start. What node made of the sources is kept, so that a start takes a third of the time and each thread of the
// process 10 MB less. Where nothing can be kept it starts all the same. No TypeScript itself: it is read before anything
// can be kept, and would have node load what strips types, 14 MB and 80 ms of CPU.

const { directory } = enableCompileCache(join(import.meta.dirname, "../node_modules/.cache/modfront"));
// Threads start with the environment, not with what was enabled here.
if (directory !== undefined) process.env.NODE_COMPILE_CACHE ??= directory;

// The buffers of a download lie outside the heap and wait for its young generation to be collected. One that stays small
// is collected often: filling a zip of 400 MB peaks at 170 MB instead of 215.
setFlagsFromString("--semi-space-growth-factor=1");

await import("./local.ts");
