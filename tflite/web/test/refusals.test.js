/** What cannot be separated is refused in one line that says what to do. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { wav } from "../src/wav.js";
import { missing as noBrowser } from "./support/browser.js";
import { bytes, folder, missing } from "./support/fixtures.js";
import { file, openPage } from "./support/page.js";

const skip = missing || noBrowser;
const model = skip ? null : Buffer.from(bytes("stereo.tflite"));

let user;
before(async () => skip || (user = await openPage()));
after(() => user?.close());

function changed(text, other) {
  const content = Buffer.from(model);
  content.write(other, content.indexOf(text));
  return content;
}

const MODELS = {
  "no TFLite file": [() => "hello, this is a text", /is not a TFLite file: choose/],
  "an empty file": [() => "", /is empty: download or export it again/],
  "another project's file": [() => changed("kerasep\0", "another\0"), /but not one of kerasep's: choose/],
  "a newer format": [() => changed('"format": 2', '"format": 7'), /in a newer format \(7, .* use a newer page/],
  "a file cut short": [() => model.subarray(0, model.length / 2), /damaged or incomplete: download/],
  "a rate that no audio has": [
    () => changed('"sample_rate": 8000', '"sample_rate": 8   '),
    /damaged or incomplete \(its sample_rate cannot be used\): download/,
  ],
};

for (const [what, [content, message]] of Object.entries(MODELS)) {
  test(`a model: ${what}`, { skip }, async () => {
    await user.openModel(file("given.tflite", content()));
    const text = await user.page.getByRole("alert").filter({ hasText: message }).textContent();
    assert.match(text, /^given\.tflite .*\.$/);
  });
}

/** The bytes of a WAV file whose header states another rate. */
function atRate(rate) {
  const content = Buffer.from(wav([Float32Array.of(0, 0.5, 0.25)], 8000, 16));
  content.writeUInt32LE(rate, 24);
  return content;
}

const SONGS = {
  ...Object.fromEntries(
    [0, 1, 2, 999, 768001, 2 ** 31 - 1].map((rate) => [
      `a rate of ${rate} Hz`,
      [() => atRate(rate), new RegExp(`sample rate of ${rate} Hz, expected 1000 to 768000 Hz: export it again`)],
    ]),
  ),
  "a file cut short": [
    () => Buffer.from(wav([new Float32Array(8000).fill(0.5)], 8000, 16)).subarray(0, 44 + 8000),
    /is cut short by 0\.500 s: get a complete copy/,
  ],
  "no audio": [() => "hello, this is a text", /holds no audio that this browser can decode: try/],
  "an empty file": [() => "", /is empty: choose/],
  "a file without samples": [() => Buffer.from(wav([new Float32Array(0)], 8000, 16)), /holds no audio/],
  silence: [() => Buffer.from(wav([new Float32Array(8000)], 8000, 16)), /is silent throughout: there is nothing/],
  "samples that are no numbers": [
    () => Buffer.from(wav([Float32Array.of(0, NaN, 1, 0)], 8000, 32)),
    /not finite numbers: export it again/,
  ],
};

for (const [what, [content, message]] of Object.entries(SONGS)) {
  test(`a song: ${what}`, { skip }, async () => {
    await user.openModel(file("stereo.tflite", model));
    await user.choose(file("given.wav", content()));
    const text = await user.page.getByRole("alert").filter({ hasText: message }).textContent();
    assert.match(text, /^given\.wav .*\.$/);
    assert.equal(await user.page.locator("#work").isVisible(), false);
  });
}

test("a song: for a model whose tensors are not as its metadata says", { skip }, async () => {
  await user.openModel(file("lying.tflite", changed('"channels": 2', '"channels": 3')));
  await user.choose(file("given.wav", Buffer.from(wav([new Float32Array(8000).fill(0.5)], 8000, 16))));
  const message = /lying\.tflite is damaged \(its tensor mixture is not as its metadata says\): export it again\./;
  await user.page.getByRole("alert").filter({ hasText: message }).waitFor();
});

test("a song: more than the memory holds", { skip }, async () => {
  await user.openModel(file("stereo.tflite", model));
  await user.page.locator("#model option:checked").filter({ hasText: "stereo" }).waitFor({ state: "attached" });
  // 20 MB, of which the page takes half at most: four minutes and their stems need 77.
  await user.page.evaluate(() => Object.defineProperty(navigator, "deviceMemory", { value: 0.02 }));
  await user.choose(join(folder, "long.wav"));
  const message = /4 min 0 s of audio would take 0.1\u00a0GB of memory, .*: cut it into shorter parts/;
  await user.page.getByRole("alert").filter({ hasText: message }).waitFor();
});
