/** The built page in Chromium, as a user has it. */

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { launch } from "./browser.js";
import { folder } from "./fixtures.js";
import { serve } from "./server.js";

const PATIENCE = 60000; // machines that test may be busy

/**
 * Open the page.
 *
 * @param {object} options of Chromium's
 * @param {Record<string, string>} instead of which files the server sends others
 * @param {string[]} held which files the server sends only once `server.release` is called with them
 * @returns {Promise<object>} `page`, what the server was asked for, errors, also those in the console, and
 *   what a user does
 */
export async function openPage(options = {}, instead = {}, held = []) {
  const server = await serve(join(folder, "page"), instead, held);
  const { context, close } = await launch(options);
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(error));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await page.goto(server.url);
  // The page loads itself once more when its service worker is there.
  await page.waitForFunction(() => crossOriginIsolated);
  if (!held.length) await page.locator("#about").filter({ hasText: "kHz" }).waitFor();
  return {
    page,
    server,
    errors,
    choose: async (song) => {
      // The mixer of the song before stays until there is another.
      await page.evaluate(() => (document.getElementById("facts").textContent = ""));
      await page.locator("#song").setInputFiles(song);
    },
    openModel: (model) => page.locator("#model-file").setInputFiles(model),
    // Texts of the share that is done, from now on, as often as the page changes while it shows that it works.
    watchShares: () =>
      page.evaluate(() => {
        const [work, left] = ["work", "left"].map((id) => document.getElementById(id));
        globalThis.shares = [];
        const note = () => work.hidden || globalThis.shares.push(left.textContent);
        new MutationObserver(note).observe(work, { attributes: true, childList: true, subtree: true });
      }),
    shares: () => page.evaluate(() => globalThis.shares),
    separated: () => page.locator("#facts").filter({ hasText: "separated in" }).waitFor(),
    download: async (button) => {
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: button, exact: true }).click(),
      ]);
      const content = readFileSync(await download.path());
      const name = download.suggestedFilename();
      return name.endsWith(".wav") ? { name, ...readWav(content) } : { name, content };
    },
    close: async () => {
      await close();
      server.close();
    },
  };
}

/** Read a WAV file of floats: channels one after the other, as Python's results lie. */
export function readWav(bytes) {
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const [channels, rate] = [content.readUInt16LE(22), content.readUInt32LE(24)];
  const data = content.indexOf("data") + 8;
  const samples = content.readUInt32LE(data - 4) / (4 * channels);
  const values = new Float32Array(channels * samples);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < samples; i++) {
      values[channel * samples + i] = content.readFloatLE(data + 4 * (i * channels + channel));
    }
  }
  return { channels, rate, samples, values };
}

/** A file for an input, of bytes that lie nowhere. */
export function file(name, content) {
  return { name, mimeType: "application/octet-stream", buffer: Buffer.from(content) };
}
