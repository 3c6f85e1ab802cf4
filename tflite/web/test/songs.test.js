/** Several songs, songs that wait for a model, and what is kept. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { strFromU8, unzipSync } from "fflate";

import { missing as noBrowser } from "./support/browser.js";
import { agreement, folder, missing } from "./support/fixtures.js";
import { openPage, readWav } from "./support/page.js";

const skip = missing || noBrowser;
const song = (name) => join(folder, name);

let user, page;
before(async () => {
  if (skip) return;
  user = await openPage();
  page = user.page;
});
after(() => user?.close());

const states = () => page.locator("#song-list .song-state").allTextContents();

test("several songs are separated one after the other, and each can be opened", { skip }, async () => {
  await page.locator("#song").setInputFiles([song("song.wav"), song("short.wav"), song("long.wav")]);
  await page.locator("#mixer-title").filter({ hasText: "song" }).waitFor();
  await page.locator("#song-list li:nth-child(2)[data-state=ready]").waitFor();
  // Those behind the first do not take its place.
  assert.equal(await page.locator("#mixer-title").textContent(), "song");
  await page.locator("#song-list li:nth-child(3) .song-state").filter({ hasText: /^[1-9]\d?.%$/ }).waitFor();
  assert.deepEqual((await states()).slice(0, 2), ["open", "ready"]);
  await page.getByRole("button", { name: "Open short.wav" }).click();
  assert.equal(await page.locator("#mixer-title").textContent(), "short");
  await page.getByRole("button", { name: "Remove long.wav" }).click();
  await page.locator("#work").waitFor({ state: "hidden" });
  assert.deepEqual(await states(), ["ready", "open"]);
  assert.equal(await page.locator("#mixer-title").textContent(), "short");
});

test("percentages are shown from the beginning, of a long song too", { skip }, async () => {
  await user.watchShares();
  await page.locator("#song").setInputFiles(song("long.wav"));
  await page.locator("#left").filter({ hasText: /^[1-9]\d?.% · about .* left$/ }).waitFor();
  const shown = await user.shares();
  assert.match(shown[0], /^0.%/);
  for (const text of shown) assert.match(text, /^\d+.%/);
  // The stems before can be used meanwhile.
  await page.getByRole("button", { name: "Mute drums" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Mute drums" }).click();
});

test("all stems come in one ZIP file", { skip }, async () => {
  await page.getByRole("button", { name: "Open song.wav" }).click();
  await page.locator("#bits").selectOption("32");
  const { name, content } = await user.download("Download all as a ZIP");
  assert.equal(name, "song - stems.zip");
  const files = unzipSync(content);
  assert.deepEqual(Object.keys(files), ["vocals.wav", "drums.wav", "accompaniment.wav"]);
  assert.equal(strFromU8(files["vocals.wav"].subarray(0, 4)), "RIFF");
  const drums = await user.download("Download drums");
  const zipped = readWav(files["drums.wav"]);
  assert.deepEqual(zipped.values, drums.values);
});

test("keys seek, mute, solo and set the ends of a loop", { skip }, async () => {
  const position = page.locator("#position");
  const pressed = (name) => page.getByRole("button", { name }).getAttribute("aria-pressed");
  await page.locator("#mixer-title").focus();
  await page.keyboard.press("ArrowRight");
  assert.match(await position.getAttribute("aria-valuetext"), /^0:05 of/);
  await page.keyboard.press("ArrowLeft");
  assert.equal(await position.inputValue(), "0");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("m");
  assert.equal(await pressed("Mute vocals"), "true");
  await page.keyboard.press("m");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("s");
  assert.deepEqual([await pressed("Mute vocals"), await pressed("Solo drums")], ["false", "true"]);
  await page.keyboard.press("s");
  await position.fill("1");
  await page.locator("#mixer-title").focus();
  await page.keyboard.press("a");
  await position.fill("1.3");
  await page.locator("#mixer-title").focus();
  await page.keyboard.press("b");
  await page.keyboard.press("Space");
  // Until it has gone back twice, however long the browser takes to begin.
  const times = await page.evaluate(async () => {
    const seen = [];
    for (let back = 0; back < 2; ) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      seen.push(Number(document.getElementById("position").value));
      if (seen.at(-1) < seen.at(-2)) back += 1;
    }
    return seen;
  });
  await page.keyboard.press("Space");
  assert.ok(Math.min(...times) >= 0.99 && Math.max(...times) <= 1.31, String(times));
  await page.getByRole("button", { name: "No loop" }).click();
});

test("at the song's own rate the stems add up to it, though the model has a lower one", { skip }, async () => {
  await user.choose(song("other_rate.wav"));
  await user.separated();
  const stems = [];
  for (const name of ["vocals", "drums", "accompaniment"]) stems.push(await user.download(`Download ${name}`));
  const whole = readWav(readFileSync(song("other_rate.wav")));
  assert.equal(stems[0].rate, 44100);
  const sum = stems[0].values.map((value, n) => value + stems[1].values[n] + stems[2].values[n]);
  const db = agreement(whole.values, sum);
  assert.ok(db > 60, `${db} dB`);
});

test("a song chosen while the model loads waits for it, through a change of models too", { skip }, async () => {
  const models = ["/models/stereo.tflite", "/models/any_order.tflite"];
  const other = await openPage({}, {}, models);
  try {
    await other.page.locator("#model option").nth(1).waitFor({ state: "attached" });
    await other.choose(song("short.wav"));
    await other.page.locator("#work-title").filter({ hasText: "short.wav" }).waitFor();
    await other.page.locator("#model").selectOption({ index: 1 });
    models.forEach(other.server.release);
    await other.separated();
    assert.deepEqual(await other.page.locator("#strips h3").allTextContents(), ["one", "two"]);
    // And while it is separated: it begins again.
    await other.choose(song("long.wav"));
    await other.page.locator("#left").filter({ hasText: /^[1-9]/ }).waitFor();
    await other.page.locator("#model").selectOption({ index: 0 });
    await other.page.locator("#song-list li:nth-child(2)").waitFor();
    await other.page.locator("#about").filter({ hasText: "accompaniment" }).waitFor();
    await other.page.locator("#left").filter({ hasText: /^[1-9]/ }).waitFor();
    await other.page.getByRole("button", { name: "Cancel" }).click();
    assert.deepEqual(other.errors, []);
  } finally {
    await other.close();
  }
});

test("nothing is written to the console as an error", { skip }, () => assert.deepEqual(user.errors, []));
