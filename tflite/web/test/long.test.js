/** A recording of ten minutes: LONG=1 make web-test. With KERASEP_AUDIO it is a real one, over and over. */

import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { wav } from "../src/wav.js";
import { missing as noBrowser } from "./support/browser.js";
import { folder, missing } from "./support/fixtures.js";
import { rendererBytes } from "./support/memory.js";
import { openPage, readWav } from "./support/page.js";

const skip = process.env.LONG !== "1" ? "takes a minute or two: LONG=1" : missing || noBrowser;
const [SECONDS, RATE, MODEL_RATE] = [600, 44100, 16000];
const MODEL = "open_unmix_like-karaoke.tflite";

/** Write ten minutes of one channel of a song. */
function write(path) {
  const real = join(folder, "real.wav");
  const { rate, samples, values } = readWav(readFileSync(existsSync(real) ? real : join(folder, "other_rate.wav")));
  assert.equal(rate, RATE);
  const long = Float32Array.from({ length: SECONDS * RATE }, (_, i) => values[i % samples]);
  writeFileSync(path, new Uint8Array(wav([long], RATE, 16)));
}

test("ten minutes: percentages at once, bounded memory, stems at the song's rate", { skip, timeout: 600000 }, async (t) => {
  const path = join(folder, "ten_minutes.wav");
  write(path);
  const user = await openPage();
  const { page } = user;
  page.setDefaultTimeout(500000);
  try {
    await user.openModel(join(folder, MODEL));
    await page.locator("#model option:checked").filter({ hasText: MODEL }).waitFor({ state: "attached" });
    const before = rendererBytes();
    const begun = performance.now();
    await user.watchShares();
    await user.choose(path);
    let peak = 0;
    const shown = [];
    const timer = setInterval(() => (peak = Math.max(peak, rendererBytes())), 250);
    const watching = setInterval(() => page.evaluate(() => Number(document.getElementById("progress").value)).then((share) => shown.push(share)).catch(() => {}), 250);
    await user.separated();
    clearInterval(timer);
    clearInterval(watching);
    const texts = await user.shares();
    assert.ok(/^0.%/.test(texts[0]) && texts.every((text) => /^\d+.%/.test(text)), texts.join("; "));
    const seconds = (performance.now() - begun) / 1000;
    // The recording and its stems, at both rates, as in memory.js.
    const needed = 4 * SECONDS * (RATE + MODEL_RATE) * 3;
    t.diagnostic(`${seconds.toFixed(1)} s; ${(before / 1e6).toFixed(0)} MB before, at most ${(peak / 1e6).toFixed(0)} MB; ${needed / 1e6} MB are foretold`);
    assert.ok(peak - before < 2 * needed, `${(peak - before) / 1e6} MB`);
    assert.ok(shown.length > 20 && shown.every((share, n) => !n || share >= shown[n - 1]), shown.join(" "));
    assert.ok(new Set(shown).size > 20, shown.join(" "));
    assert.equal(await page.locator("#end").textContent(), "10:00");
    await page.locator("#bits").selectOption("32");
    for (const name of ["vocals", "accompaniment"]) {
      const stem = await user.download(`Download ${name}`);
      assert.deepEqual([stem.rate, stem.channels, stem.samples], [RATE, 1, SECONDS * RATE]);
      assert.ok(stem.values.subarray(-RATE).some((value) => Math.abs(value) > 1e-3), "its end is heard");
    }
    assert.deepEqual(user.errors, []);
  } finally {
    await user.close();
    rmSync(path);
  }
});
