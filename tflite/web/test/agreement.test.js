/** What a user downloads is what Python's Runtime gives. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { missing as noBrowser } from "./support/browser.js";
import { agreement, fixtures, floats, folder, missing } from "./support/fixtures.js";
import { openPage } from "./support/page.js";

const skip = missing || noBrowser;

const COMPATIBLE = { "/wasm/litert_wasm_threaded_internal.js": "/wasm/litert_wasm_compat_internal.js" };

test("there is something to compare", { skip }, () => assert.ok(fixtures.cases.length >= 6));

describe("in this browser", { skip }, () => {
  let user;
  before(async () => (user = await openPage()));
  after(() => user.close());
  for (const found of fixtures.cases) {
    test(`${found.model} separates ${found.song} as in Python, to ${found.gate_db} dB`, (t) => compare(user, found, t));
  }
});

describe("in a browser without relaxed SIMD", { skip }, () => {
  let user;
  before(async () => (user = await openPage({}, COMPATIBLE)));
  after(() => user.close());
  test("a song is separated as in Python", async (t) => {
    await compare(user, fixtures.cases.find(({ gate_db: gate }) => gate === 100), t);
    assert.ok(user.server.requests.includes("/wasm/litert_wasm_compat_internal.wasm"));
  });
});

async function compare(user, { model, song, expected, shape, rate, gate_db: gate }, t) {
  const [sources, channels, samples] = shape;
  await user.openModel(join(folder, model));
  await user.page.locator("#model option:checked").filter({ hasText: model }).waitFor({ state: "attached" });
  await user.choose(join(folder, song));
  await user.separated();
  await user.page.locator("#bits").selectOption("32");
  const names = await user.page.locator("#strips h3").allTextContents();
  assert.equal(names.length, sources);
  const python = floats(expected);
  for (const [index, name] of names.entries()) {
    const stem = await user.download(`Download ${name}`);
    assert.equal(stem.name, `${song.replace(".wav", "")} - ${name}.wav`);
    assert.deepEqual([stem.channels, stem.samples, stem.rate], [channels, samples, rate]);
    const size = channels * samples;
    const db = agreement(python.subarray(index * size, (index + 1) * size), stem.values);
    t.diagnostic(`${model}, ${name}: ${db.toFixed(1)} dB`);
    assert.ok(db >= gate, `${name} agrees to ${db} dB`);
  }
  assert.deepEqual(user.errors, []);
}
