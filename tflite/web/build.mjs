/** Build the page: node build.mjs [folder], by default ../../build/web. */

import { cpSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, "../../build/web"));
const litert = join(here, "node_modules/@litertjs/core/wasm");
// With relaxed SIMD and without; those with threads need cross-origin isolation.
const RUNTIMES = ["litert_wasm_internal", "litert_wasm_compat_internal"];

// The models beside the page, in models/, are kept.
rmSync(join(out, "wasm"), { recursive: true, force: true });
mkdirSync(join(out, "wasm"), { recursive: true });
await build({
  entryPoints: { page: join(here, "src/main.js"), worker: join(here, "src/worker.js"), style: join(here, "src/style.css") },
  outdir: out,
  bundle: true,
  format: "iife",
  minify: true,
  target: "es2022",
  logLevel: "warning",
});
cpSync(join(here, "src/index.html"), join(out, "index.html"));
for (const name of RUNTIMES) {
  for (const end of [".js", ".wasm"]) cpSync(join(litert, name + end), join(out, "wasm", name + end));
}
console.log(`built ${out}`);
