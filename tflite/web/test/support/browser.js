/** Chromium, with a microphone that beeps. */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";

const PLACES = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = PLACES.find((path) => path && existsSync(path));

/** Give as `skip` of a test that needs it. */
export const missing = executablePath ? false : "no Chromium: install it, or say where it is by CHROMIUM=path";

/**
 * Start it with a fresh profile.
 *
 * @param {object} options of Playwright's; `microphone`: a WAV file that it hears, over and over
 * @returns {Promise<{context: import("playwright-core").BrowserContext, close: () => Promise<void>}>}
 */
export async function launch({ microphone, ...options } = {}) {
  const profile = mkdtempSync(join(tmpdir(), "kerasep-web-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    acceptDownloads: true,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
      ...(microphone ? [`--use-file-for-fake-audio-capture=${microphone}`] : []),
    ],
    ...options,
  });
  return {
    context,
    close: async () => {
      await context.close();
      // Chromium's last processes may still be writing.
      rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}
