/** The page without a network, and where its own files are out of reach. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { missing as noBrowser } from "./support/browser.js";
import { folder, missing } from "./support/fixtures.js";
import { openPage } from "./support/page.js";

const skip = missing || noBrowser;

let user, page;
before(async () => {
  if (skip) return;
  user = await openPage();
  page = user.page;
  await user.choose(join(folder, "short.wav"));
  await user.separated();
});
after(() => user?.close());

test("the page is isolated, and runs in threads", { skip }, async () => {
  assert.equal(await page.evaluate(() => crossOriginIsolated), true);
  assert.ok(user.server.requests.includes("/wasm/litert_wasm_threaded_internal.wasm"));
  assert.ok(!user.server.requests.includes("/wasm/litert_wasm_internal.wasm"));
});

test("the page can be installed", { skip }, async () => {
  const session = await page.context().newCDPSession(page);
  const { errors } = await session.send("Page.getAppManifest");
  assert.deepEqual(errors, []);
  const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");
  // Profiles without a window are all private ones.
  assert.deepEqual(installabilityErrors.filter(({ errorId }) => errorId !== "in-incognito"), []);
});

test("after the first visit it works without a network", { skip }, async () => {
  user.server.down = true;
  await page.reload();
  await page.locator("#about").filter({ hasText: "kHz" }).waitFor();
  await user.choose(join(folder, "short.wav"));
  await user.separated();
});

test("a model that was never loaded is said to be out of reach", { skip }, async () => {
  await page.locator("#model").selectOption({ index: 1 });
  const message = /^any_order\.tflite cannot be downloaded: check your connection, and try again\.$/;
  await page.getByRole("alert").filter({ hasText: message }).waitFor();
  assert.match(await page.locator("#about").textContent(), /accompaniment/);
});

test("where it cannot reach its own files, the page says so", { skip }, async () => {
  await page.evaluate(async () => {
    const cache = await caches.open("kerasep");
    for (const request of await cache.keys()) if (/models|wasm/.test(request.url)) await cache.delete(request);
  });
  await page.reload();
  const message = /^The page cannot reach its own files: check your connection, and reload the page\.$/;
  await page.getByRole("alert").filter({ hasText: message }).waitFor();
  // Its style and scripts missing too, what stands in the page itself remains.
  await page.evaluate(async () => {
    const cache = await caches.open("kerasep");
    for (const request of await cache.keys()) if (/\.js$/.test(request.url)) await cache.delete(request);
  });
  await page.reload();
  await page.getByText("could not load all of its files").waitFor();
});
