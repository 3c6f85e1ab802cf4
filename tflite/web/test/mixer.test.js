import assert from "node:assert/strict";
import { test } from "node:test";

import { gains, SILENT_DB } from "../src/gains.js";
import { checkMemory } from "../src/memory.js";
import { bestOrder } from "../src/order.js";
import { looped } from "../src/player.js";
import { clock, decibels, describe, duration } from "../src/words.js";

const strip = (values) => ({ db: 0, muted: false, solo: false, ...values });

test("faders are in dB, and off at the lower end", () => {
  const [off, six, full] = gains([strip({ db: SILENT_DB }), strip({ db: -6 }), strip({})]);
  assert.equal(off, 0);
  assert.ok(Math.abs(six - 0.501187) < 1e-6);
  assert.equal(full, 1);
});

test("solo silences the others; a muted solo is silent too", () => {
  assert.deepEqual(gains([strip({ solo: true }), strip({}), strip({ solo: true })]), [1, 0, 1]);
  assert.deepEqual(gains([strip({ solo: true, muted: true }), strip({})]), [0, 0]);
  assert.deepEqual(gains([strip({ muted: true }), strip({})]), [0, 1]);
});

test("the first of several orders that are as good is kept", () => {
  assert.deepEqual(bestOrder([[0, 0], [0, 0]]), [0, 1]);
  assert.deepEqual(bestOrder([[0, 0, 1], [1, 0, 0], [0, 1, 0]]), [2, 0, 1]);
});

test("what takes more than half of the memory is refused in one line", () => {
  const metadata = { sources: ["a", "b", "c", "d"], sample_rate: 44100 };
  checkMemory(500, 2, 44100, metadata, 0, 4);
  assert.throws(
    () => checkMemory(2 * 3600, 2, 44100, metadata, 0, 4),
    /^InputError: 2 h 0 min of audio would take 25.4\u00a0GB of memory, more than the 2.0\u00a0GB .* cut it into shorter parts.$/,
  );
  assert.throws(
    () => checkMemory(500, 2, 44100, metadata, 1e9, 4),
    /^InputError: The songs before take 1.0\u00a0GB of the 2.0\u00a0GB of memory available, .* needs 1.8\u00a0GB: remove songs from the list.$/,
  );
});

test("a time behind a loop's end lies in the loop", () => {
  const loop = { start: 2, end: 5 };
  assert.deepEqual([1, 4.5, 5, 6.5, 11].map((time) => looped(time, loop)), [1, 4.5, 2, 3.5, 2]);
});

test("numbers as people read them", () => {
  assert.equal(clock(75.9), "1:15");
  assert.equal(clock(3675), "1:01:15");
  assert.equal(duration(2.34), "2.3 s");
  assert.equal(duration(75), "1 min 15 s");
  assert.equal(decibels(-6), "\u22126\u00a0dB");
  assert.equal(decibels(3), "+3\u00a0dB");
  const metadata = { sources: ["a", "b", "c"], sample_rate: 16000, channels: 1 };
  assert.equal(describe(metadata, 4_300_000), "a, b and c · 16\u00a0kHz mono · 4.3\u00a0MB");
});
