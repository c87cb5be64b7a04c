import { inspectZip } from "../lambda/golang/inspect-zip.ts";

// The same question as bench/xmod, answered by lambda/golang: how many seconds each zip takes to be checked and hashed.

const args = process.argv.slice(2);

for (let i = 0; i + 3 < args.length; i += 4) {
  const [path = "", version = "", file = "", times = ""] = args.slice(i, i + 4);
  const started = performance.now();
  for (let time = 0; time < Number(times); time++) await inspectZip({ path, version }, file);
  process.stdout.write(`${(performance.now() - started) / 1000 / Number(times)}\n`);
}
