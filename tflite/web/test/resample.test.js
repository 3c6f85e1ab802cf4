import assert from "node:assert/strict";
import { test } from "node:test";

import { resample } from "../src/resample.js";
import { missingSeconds, statedRate } from "../src/stated_rate.js";
import { wav } from "../src/wav.js";
import { agreement } from "./support/fixtures.js";

const tone = (hz, rate, seconds) =>
  Float32Array.from({ length: Math.round(rate * seconds) }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rate));
const inner = (samples) => samples.subarray(400, -400); // without what has no neighbours

for (const [rate, newRate] of [[44100, 16000], [48000, 8000], [16000, 44100], [44100, 8192]]) {
  test(`${rate} Hz to ${newRate} Hz: tones stay, or are stopped`, () => {
    const nyquist = Math.min(rate, newRate) / 2;
    for (const share of [0.01, 0.5, 0.9]) {
      const resampled = resample(tone(share * nyquist, rate, 0.5), rate, newRate);
      const db = agreement(inner(tone(share * nyquist, newRate, 0.5)), inner(resampled));
      assert.ok(db > 100, `${share} of Nyquist's frequency: ${db} dB`);
    }
    if (newRate < rate) {
      const stopped = inner(resample(tone(1.01 * nyquist, rate, 0.5), rate, newRate));
      assert.ok(Math.max(...stopped.map(Math.abs)) < 1e-5);
    }
  });
}

test("lengths are rounded, and never nothing", () => {
  assert.equal(resample(new Float32Array(44101), 44100, 16000).length, 16000);
  assert.equal(resample(new Float32Array(1), 44100, 8000).length, 1);
});

test("WAV and FLAC files state their rate", () => {
  assert.equal(statedRate(wav([new Float32Array(9)], 22050, 16)), 22050);
  // A chunk before the format, of odd size.
  const plain = new Uint8Array(wav([new Float32Array(9)], 8000, 32));
  const junk = new TextEncoder().encode("JUNK\x03\0\0\0abc\0");
  const longer = new Uint8Array([...plain.subarray(0, 12), ...junk, ...plain.subarray(12)]);
  assert.equal(statedRate(longer.buffer), 8000);
  const flac = new Uint8Array(42);
  flac.set([...new TextEncoder().encode("fLaC"), 0, 0, 0, 34]);
  flac.set([0x0a, 0xc4, 0x42, 0xf0], 18); // 44100 Hz, two channels, 16 bits
  assert.equal(statedRate(flac.buffer), 44100);
  assert.equal(statedRate(new TextEncoder().encode("ID3 and what makes up an MP3 file").buffer), null);
  assert.equal(statedRate(new ArrayBuffer(0)), null);
});

test("seconds that a file lacks are counted", () => {
  const whole = wav([new Float32Array(8000)], 8000, 16);
  assert.equal(missingSeconds(whole, whole.byteLength), 0);
  assert.equal(missingSeconds(whole, whole.byteLength - 4000), 0.25);
  for (const unknown of [0, 0x7ffff000, 0xffffffff]) {
    new DataView(whole).setUint32(40, unknown, true);
    assert.equal(missingSeconds(whole, whole.byteLength), 0);
  }
  assert.equal(missingSeconds(new ArrayBuffer(0), 0), 0);
});
