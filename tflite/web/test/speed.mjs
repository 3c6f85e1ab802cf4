/**
 * Times of the page and of the C program for the same song and models, in turn:
 * node speed.mjs PAGE_FOLDER SONG.wav KERASEP_NATIVE [ROUNDS]
 *
 * A first song is chosen at once, or after a while in which users look for their file; a second one follows.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { launch } from "./support/browser.js";
import { serve } from "./support/server.js";

const [folder, song, native, rounds = 5] = process.argv.slice(2);
const { models } = JSON.parse(readFileSync(join(folder, "models/index.json"), "utf8"));
const LOOKING = 10000; // milliseconds
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
const server = await serve(folder);
const out = mkdtempSync(join(tmpdir(), "kerasep-speed-"));

/** Seconds that a user waits for the first song, chosen so many milliseconds after the page names its model, and for the second. */
async function inPage(index, wait) {
  const { context, close } = await launch();
  context.setDefaultTimeout(300000);
  const page = await context.newPage();
  await page.goto(server.url);
  await page.waitForFunction(() => crossOriginIsolated);
  await page.locator("#about").filter({ hasText: "kHz" }).waitFor();
  if (index) await page.locator("#model").selectOption({ index });
  await page.waitForTimeout(wait);
  const times = [];
  for (let n = 0; n < 2; n++) {
    await page.evaluate(() => (document.getElementById("facts").textContent = ""));
    const begun = performance.now();
    await page.locator("#song").setInputFiles(song);
    await page.locator("#facts").filter({ hasText: "separated in" }).waitFor();
    times.push((performance.now() - begun) / 1000);
  }
  await close();
  return times;
}

function inProgram(file) {
  const begun = performance.now();
  const options = ["--threads", "1", "--overwrite", join(folder, "models", file), song, out];
  execFileSync(native, options, { stdio: "ignore" });
  return (performance.now() - begun) / 1000;
}

for (const [index, { file }] of models.entries()) {
  const [first, later, second, program] = [[], [], [], []];
  for (let round = 0; round < rounds; round++) {
    program.push(inProgram(file));
    for (const [firsts, wait] of [[first, 0], [later, LOOKING]]) {
      const times = await inPage(index, wait);
      firsts.push(times[0]);
      second.push(times[1]);
      program.push(inProgram(file));
    }
  }
  const c = median(program);
  console.log(`${file}: C program, one thread ${c.toFixed(2)} s`);
  for (const [name, times] of Object.entries({ "first song, at once": first, "first song, later": later, "second song": second })) {
    console.log(`  page, ${name}: ${median(times).toFixed(2)} s (${(median(times) / c).toFixed(1)} times)`);
  }
}
rmSync(out, { recursive: true });
server.close();
