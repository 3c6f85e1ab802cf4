/** What a user does with the page, and what the page must not do. */

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";

import { missing as noBrowser } from "./support/browser.js";
import { agreement, folder, missing } from "./support/fixtures.js";
import { openPage } from "./support/page.js";

const skip = missing || noBrowser;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const song = (name) => join(folder, name);
const elsewhere = "http://localhost:9/";

let user, page;
before(async () => {
  if (skip) return;
  user = await openPage({ viewport: { width: 360, height: 740 } });
  page = user.page;
});
after(() => user?.close());

/** Violations of accessibility rules in both colour schemes, and whether the page fits the screen. */
async function inspect() {
  const found = [];
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    found.push(...violations.map(({ id, nodes }) => `${colorScheme} ${id}: ${nodes.map((node) => node.html)}`));
  }
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  return { found, wide };
}

test("the page passes for all and fits a phone's screen, before and after separating", { skip }, async () => {
  assert.deepEqual(await inspect(), { found: [], wide: 360 });
  await user.choose(song("song.wav"));
  await user.separated();
  assert.deepEqual(await inspect(), { found: [], wide: 360 });
});

test("the mix is the sum of the stems as the faders stand, in step", { skip }, async () => {
  await page.locator("#bits").selectOption("32");
  const stems = [];
  for (const name of ["vocals", "drums", "accompaniment"]) stems.push(await user.download(`Download ${name}`));
  await page.getByRole("slider", { name: "Level of drums" }).fill("-6");
  await page.getByRole("button", { name: "Mute accompaniment" }).click();
  const mix = await user.download("Download this mix");
  const [vocals, drums] = stems.map(({ values }) => values);
  const expected = vocals.map((value, index) => value + 10 ** (-6 / 20) * drums[index]);
  assert.ok(agreement(expected, mix.values) > 100);
  await page.getByRole("button", { name: "Solo drums" }).press("Enter");
  assert.equal(await page.getByRole("button", { name: "Solo drums" }).getAttribute("aria-pressed"), "true");
  const solo = await user.download("Download this mix");
  assert.ok(agreement(drums.map((value) => 10 ** (-6 / 20) * value), solo.values) > 100);
});

test("play, pause and seek, by the keyboard alone", { skip }, async () => {
  const position = page.getByRole("slider", { name: "Position" });
  await page.getByRole("button", { name: "Play" }).press("Enter");
  await page.waitForFunction(() => Number(document.getElementById("position").value) > 0.5);
  await page.getByRole("button", { name: "Pause" }).press("Enter");
  const paused = await position.inputValue();
  await page.waitForTimeout(200);
  assert.equal(await position.inputValue(), paused);
  await position.press("End");
  assert.match(await position.getAttribute("aria-valuetext"), /^0:05 of 0:05$/);
  await position.press("Home");
  assert.equal(await position.inputValue(), "0");
  await page.locator("#mixer-title").focus();
  await page.keyboard.press("Space");
  await page.getByRole("button", { name: "Pause" }).waitFor();
  // Its end is an end: the button is for the next time.
  await page.getByRole("button", { name: "Play" }).waitFor();
  assert.match(await position.getAttribute("aria-valuetext"), /^0:05 of 0:05$/);
});

/** Seconds that the page's own thread has computed, and all of its threads together. */
async function processorTime() {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const { metrics } = await session.send("Performance.getMetrics");
  await session.detach();
  return ["ThreadTime", "ProcessTime"].map((wanted) => metrics.find(({ name }) => name === wanted).value);
}

test("while it separates, the page answers, tells how far it is, and can be stopped", { skip }, async () => {
  await user.choose(song("long.wav"));
  await page.locator("#left").filter({ hasText: "left" }).waitFor();
  const before = await processorTime();
  await page.evaluate(async () => {
    for (let frame = 0; frame < 60; frame++) await new Promise(requestAnimationFrame);
  });
  // What the page does and what its workers do, whoever else keeps the machine busy.
  const [own, all] = (await processorTime()).map((seconds, index) => seconds - before[index]);
  assert.ok(own < 0.5 * all, `the page itself took ${own} of ${all} s`);
  assert.match(await page.getByRole("status").textContent(), /Separating/);
  assert.ok((await page.getByRole("progressbar").getAttribute("value")) > 0);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.locator("#work").waitFor({ state: "hidden" });
  assert.equal(await page.getByRole("status").textContent(), "Cancelled.");
  // The stems before are still there.
  assert.equal(await page.locator("#mixer-title").textContent(), "song");
  await user.choose(song("short.wav"));
  await user.separated();
});

test("neither the page nor its worker may connect elsewhere", { skip }, async () => {
  const attempt = (url) =>
    new Promise((resolve) => {
      self.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective), { once: true });
      fetch(url, { mode: "no-cors" }).then(
        () => resolve("sent"),
        () => setTimeout(() => resolve("failed for another reason"), 30000),
      );
    });
  const worker = page.workers().find((each) => each.url().startsWith("blob:"));
  for (const each of [page, worker]) assert.equal(await each.evaluate(attempt, elsewhere), "connect-src");
  const asked = [...new Set(user.server.requests)].sort();
  const own = /^\/($|(page|worker|live_worker|worklet|sw)\.js|style\.css|icon\.svg|manifest\.json|models\/[\w.]+|wasm\/litert_wasm_\w+\.(js|wasm))$/;
  assert.deepEqual(asked.filter((path) => !own.test(path)), []);
});

test("the microphone's recording is separated", { skip }, async () => {
  await page.getByRole("button", { name: "Record" }).click();
  const stop = page.getByRole("button", { name: /Stop/ });
  await stop.filter({ hasText: /0:(?!00)\d\d/ }).waitFor();
  await stop.click();
  await page.locator("#mixer-title").filter({ hasText: "recording" }).waitFor();
});

test("the example needs no file", { skip }, async () => {
  await page.getByRole("button", { name: "Try an example" }).click();
  await page.locator("#mixer-title").filter({ hasText: "A synthetic song" }).waitFor();
  assert.equal(await page.locator("#end").textContent(), "0:20");
});

test("a model's licence is shown", { skip }, async () => {
  const about = page.locator("#about");
  assert.doesNotMatch(await about.textContent(), /weights/);
  await user.openModel(song("mdx_net_like-karaoke.tflite"));
  await about.filter({ hasText: /^vocals and accompaniment · 16.kHz mono · .* · weights: research use only$/ }).waitFor();
  assert.deepEqual(await inspect(), { found: [], wide: 360 });
  await page.locator("#model").selectOption({ index: 0 });
  await about.filter({ hasNotText: "weights" }).waitFor();
});

/** Drop a file on the page. */
async function drop(path) {
  const content = readFileSync(path).toString("base64");
  await page.evaluate(
    async ([content, name]) => {
      const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([bytes], name));
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
    },
    [content, basename(path)],
  );
}

test("songs and models can be dropped, and a song separated again with another model", { skip }, async () => {
  await drop(song("short.wav"));
  await page.locator("#mixer-title").filter({ hasText: "short" }).waitFor();
  await drop(song("any_order.tflite"));
  await page.getByRole("button", { name: "Separate again with this model" }).click();
  await page.locator("#strips h3").filter({ hasText: "two" }).waitFor();
  assert.deepEqual(await page.locator("#strips h3").allTextContents(), ["one", "two"]);
  await page.locator("#model").selectOption({ index: 0 });
  await page.locator("#about").filter({ hasText: "accompaniment" }).waitFor();
  assert.deepEqual(user.errors.filter((text) => !String(text).includes(elsewhere)), []);
});
