/** Sound from the microphone, separated while it sounds. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { missing as noBrowser } from "./support/browser.js";
import { agreement, bytes, floats, folder, missing } from "./support/fixtures.js";
import { openPage } from "./support/page.js";

const skip = missing || noBrowser;

let user, page;
before(async () => {
  if (skip) return;
  user = await openPage({ microphone: join(folder, "song.wav") });
  page = user.page;
});
after(() => user?.close());

test("blocks give the sources that Python's steps give", { skip }, async (t) => {
  const metadata = JSON.parse(readFileSync(join(folder, "live.json"), "utf8"));
  const received = await page.evaluate(
    async ([model, metadata, samples]) => {
      const decoded = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
      const script = new URL("live_worker.js", location.href).href;
      const worker = new Worker(URL.createObjectURL(new Blob([`importScripts("${script}")`])));
      const { port1, port2 } = new MessageChannel();
      const folder = new URL("wasm/", location.href).href;
      const begin = { content: decoded(model), name: "live.tflite", metadata, folder, port: port1 };
      await new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => (data.ready ? resolve() : reject(new Error(data.error.message)));
        worker.postMessage(begin, [port1]);
      });
      const input = new Float32Array(decoded(samples));
      const size = metadata.step * metadata.channels;
      const sources = [];
      for (let at = 0; at < input.length; at += size) {
        const answered = new Promise((resolve) => (port2.onmessage = ({ data }) => resolve(data.sources)));
        port2.postMessage(input.slice(at, at + size));
        sources.push(...(await answered));
      }
      worker.terminate();
      return sources;
    },
    [...["live.tflite", "live.in"].map((name) => Buffer.from(bytes(name)).toString("base64"))].toSpliced(1, 0, metadata),
  );
  const expected = floats("live.out");
  assert.equal(received.length, expected.length);
  const db = agreement(expected, received);
  t.diagnostic(`${db.toFixed(1)} dB`);
  assert.ok(db > 100, `${db} dB`);
});

test("the microphone is heard in sources, with the latency shown", { skip }, async () => {
  await page.getByRole("button", { name: "Microphone" }).click();
  const state = page.locator("#live-state");
  await state.filter({ hasText: /^\d+.ms behind · \d+.% of the time used/ }).waitFor();
  const { latency, sample_rate: rate, step } = JSON.parse(readFileSync(join(folder, "live.json"), "utf8"));
  // At the least what the model needs; a busy machine may add to it for a while.
  const least = (1000 * latency) / rate;
  const shown = Number((await state.textContent()).match(/^\d+/)[0]);
  assert.ok(shown >= least, `${shown} ms`);
  const most = least + (1000 * step) / rate + 2000;
  await page.waitForFunction((most) => parseInt(document.getElementById("live-state").textContent) < most, most);
  await page.waitForFunction(() => {
    const levels = [...document.querySelectorAll("#live-strips .meter")].map((meter) => Number(meter.style.getPropertyValue("--level")));
    return levels.length === 2 && levels.every((level) => level > 0.01);
  });
  await page.getByRole("button", { name: "Solo live vocals" }).click();
  await page.getByRole("button", { name: "Stop" }).click();
  assert.equal(await page.locator("#live-running").isVisible(), false);
});

test("a tab's sound is heard in sources", { skip }, async () => {
  await page.evaluate(() => {
    // A browser without a window has no tab to share: what it would give.
    navigator.mediaDevices.getDisplayMedia = () => navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  });
  await page.getByRole("button", { name: "A tab" }).click();
  await page.locator("#live-state").filter({ hasText: /ms behind/ }).waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  assert.deepEqual(user.errors, []);
});
