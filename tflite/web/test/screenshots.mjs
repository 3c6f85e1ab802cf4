/** Pictures of the page, to look at: node screenshots.mjs PAGE_FOLDER SONG OUT_FOLDER */

import { join } from "node:path";

import { launch } from "./support/browser.js";
import { serve } from "./support/server.js";

const [folder, song, out] = process.argv.slice(2);
const server = await serve(folder);
for (const [device, width, height] of [["phone", 390, 844], ["desktop", 1280, 800]]) {
  for (const colorScheme of ["light", "dark"]) {
    const { context, close } = await launch({ viewport: { width, height }, colorScheme, deviceScaleFactor: 2, hasTouch: device === "phone" }); context.setDefaultTimeout(120000);
    const page = await context.newPage();
    page.on("console", (message) => message.type() === "error" && console.log(message.text()));
    const shot = (name, options) =>
      page.screenshot({ path: join(out, `${device}-${colorScheme}-${name}.png`), ...options });
    await page.goto(server.url);
    await page.waitForFunction(() => crossOriginIsolated);
    await page.locator("#about").filter({ hasText: "kHz" }).waitFor();
    await shot("1-before");
    await page.locator("#song").setInputFiles([song, song]);
    await page.locator("#left").filter({ hasText: "left" }).waitFor().catch(() => {});
    await shot("2-working");
    await page.locator("#mixer").waitFor({ timeout: 120000 });
    await shot("3-after");
    await page.locator("#work").waitFor({ state: "hidden", timeout: 120000 });
    await page.getByRole("button", { name: "Solo" }).first().click();
    await page.getByRole("button", { name: "Mute" }).nth(1).click();
    await page.locator("#position").fill("5");
    await page.getByRole("button", { name: "Loop from here" }).click();
    await page.locator("#position").fill("12");
    await page.getByRole("button", { name: "to here" }).click();
    await shot("4-loop", { fullPage: true });
    await page.getByText("Spectrogram").click();
    await page.getByRole("button", { name: "Play" }).click();
    await page.waitForTimeout(1500);
    await shot("5-whole", { fullPage: true });
    await page.getByRole("button", { name: "Microphone" }).click();
    await page.locator("#live-state").filter({ hasText: "behind" }).waitFor();
    await page.waitForTimeout(2000);
    await page.evaluate(() => scrollTo(0, 0));
    await shot("6-live", { fullPage: true });
    await page.getByRole("button", { name: "Stop" }).click();
    await page.locator("#song").setInputFiles(process.argv[1]);
    await page.locator("#error").waitFor();
    await page.evaluate(() => scrollTo(0, 0));
    await shot("7-error");
    await close();
  }
}
server.close();
