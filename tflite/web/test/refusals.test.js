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
};

for (const [what, [content, message]] of Object.entries(MODELS)) {
  test(`a model: ${what}`, { skip }, async () => {
    await user.openModel(file("given.tflite", content()));
    const text = await user.page.getByRole("alert").filter({ hasText: message }).textContent();
    assert.match(text, /^given\.tflite .*\.$/);
  });
}

const SONGS = {
  "no audio": [() => "hello, this is a text", /holds no audio that this browser can decode: try/],
  "an empty file": [() => "", /is empty: choose/],
  "a file without samples": [() => Buffer.from(wav([new Float32Array(0)], 8000, 16)), /holds no audio/],
  silence: [() => Buffer.from(wav([new Float32Array(8000)], 8000, 16)), /is silent throughout: there is nothing/],
  "samples that are no numbers": [
    () => Buffer.from(wav([Float32Array.of(0, NaN, 1, 0)], 8000, 32)),
    /no finite numbers: export it again/,
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

test("a song: more than the memory holds", { skip }, async () => {
  // 20 MB, of which the page takes half at most: four minutes and their stems need 77.
  await user.page.evaluate(() => Object.defineProperty(navigator, "deviceMemory", { value: 0.02 }));
  await user.choose(join(folder, "long.wav"));
  const message = /4 min 0 s of audio would take 0.1\u00a0GB of memory, .*: cut it into shorter parts/;
  await user.page.getByRole("alert").filter({ hasText: message }).waitFor();
});
