/** Build the page: node build.mjs [folder], by default ../../build/web. */

import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, "../../build/web"));
const litert = join(here, "node_modules/@litertjs/core/wasm");
// With threads where the page is isolated; with relaxed SIMD alone; without both.
const RUNTIMES = ["litert_wasm_threaded_internal", "litert_wasm_internal", "litert_wasm_compat_internal"];
const SCRIPTS = { page: "main", worker: "worker", live_worker: "live_worker", worklet: "worklet", sw: "sw" };
const ASSETS = ["index.html", "manifest.json", "icon.svg", "icon-192.png", "icon-512.png"];

// The models beside the page, in models/, are kept.
rmSync(join(out, "wasm"), { recursive: true, force: true });
mkdirSync(join(out, "wasm"), { recursive: true });
await build({
  entryPoints: {
    ...Object.fromEntries(Object.entries(SCRIPTS).map(([name, from]) => [name, join(here, `src/${from}.js`)])),
    style: join(here, "src/style.css"),
  },
  outdir: out,
  bundle: true,
  format: "iife",
  minify: true,
  target: "es2022",
  logLevel: "warning",
});
for (const name of ASSETS) cpSync(join(here, "src", name), join(out, name));
for (const name of RUNTIMES) {
  for (const end of [".js", ".wasm"]) cpSync(join(litert, name + end), join(out, "wasm", name + end));
}
const index = join(out, "models/index.json");
mkdirSync(dirname(index), { recursive: true });
if (!existsSync(index)) writeFileSync(index, '{"models": [], "live": [], "example": null}\n');
console.log(`built ${out}`);
