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
 * @returns {Promise<object>} `page`, what the server was asked for, and what a user does
 */
export async function openPage(options = {}, instead = {}) {
  const server = await serve(join(folder, "page"), instead);
  const { context, close } = await launch(options);
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(error));
  await page.goto(server.url);
  await page.locator("#about").filter({ hasText: "kHz" }).waitFor();
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
    separated: () => page.locator("#facts").filter({ hasText: "separated in" }).waitFor(),
    download: async (name) => {
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name, exact: true }).click(),
      ]);
      return { name: download.suggestedFilename(), ...read(await download.path()) };
    },
    close: async () => {
      await close();
      server.close();
    },
  };
}

/** Read a WAV file of floats: channels one after the other, as Python's results lie. */
function read(path) {
  const content = readFileSync(path);
  const [channels, rate] = [content.readUInt16LE(22), content.readUInt32LE(24)];
  const samples = content.readUInt32LE(46);
  const values = new Float32Array(channels * samples);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < samples; i++) {
      values[channel * samples + i] = content.readFloatLE(58 + 4 * (i * channels + channel));
    }
  }
  return { channels, rate, samples, values };
}

/** A file for an input, of bytes that lie nowhere. */
export function file(name, content) {
  return { name, mimeType: "application/octet-stream", buffer: Buffer.from(content) };
}
