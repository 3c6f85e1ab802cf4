import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { atOwnRate, residualOf } from "../src/bands.js";
import { codedRate } from "../src/coded_rate.js";
import { resample } from "../src/resample.js";
import { agreement } from "./support/fixtures.js";

const { residuals } = JSON.parse(readFileSync(new URL("../../../tests/tflite/metadata_cases.json", import.meta.url)));

test("the residual is what the file says, or known by its name, as in Python", () => {
  assert.equal(residualOf({ residual: "b", sources: ["a", "b"] }), "b");
  assert.equal(residualOf({ residual: null, sources: ["a", "noise"] }), null);
  assert.equal(residualOf({ sources: ["one", "noise"], interchangeable: true }), null);
  assert.ok(residuals.length > 20);
  for (const [sources, expected] of residuals) {
    assert.equal(residualOf({ sources }), expected, sources.join());
    assert.equal(residualOf({ sources: sources.toReversed() }), expected, sources.join());
  }
});

test("stems that add up at the model's rate add up at the recording's", async () => {
  let seed = 1;
  const noise = () => (seed = (seed * 48271) % 2147483647) / 2147483647 - 0.5;
  const recording = [Float32Array.from({ length: 44101 }, noise)];
  const mixture = recording.map((channel) => resample(channel, 44100, 16000));
  const voice = mixture.map((channel) => channel.map((value, n) => value * Math.sin(n / 500) ** 2));
  const rest = mixture.map((channel, index) => channel.map((value, n) => value - voice[index][n]));
  const metadata = { sample_rate: 16000, sources: ["vocals", "accompaniment"], residual: "accompaniment" };
  let steps = 0;
  const stems = await atOwnRate([voice, rest], metadata, mixture, recording, 44100, async () => (steps += 1));
  assert.equal(steps, 2);
  const sum = stems[0][0].map((value, n) => value + stems[1][0][n]);
  assert.ok(agreement(recording[0], sum) > 120);
  // The other source has only what the model gave.
  assert.deepEqual(stems[0][0], resample(voice[0], 16000, 44100, 44101));
});

const bytesOf = (...parts) =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...part].map((c) => c.charCodeAt(0)) : part)));
const zeros = (length) => new Array(length).fill(0);

test("compressed files state their rate", () => {
  const vorbis = bytesOf("OggS", zeros(24), "\x01vorbis", zeros(4), [2], [0x22, 0x56, 0, 0], zeros(20));
  assert.equal(codedRate(vorbis.buffer), 22050);
  assert.equal(codedRate(bytesOf("OggS", zeros(24), "OpusHead", zeros(20)).buffer), 48000);
  const mp4 = bytesOf(zeros(4), "ftypM4A ", zeros(40), "mp4a", zeros(24), [0xac, 0x44, 0, 0]);
  assert.equal(codedRate(mp4.buffer), 44100);
  // MPEG-1, layer 3, 128 kbit/s at 32 kHz: frames of 576 bytes, behind a tag with a picture.
  const frame = [0xff, 0xfb, 0x98, 0, ...zeros(572)];
  assert.equal(codedRate(bytesOf("ID3", [4, 0, 0, 0, 0, 1, 2], zeros(130), frame, frame).buffer), 32000);
  // MPEG-2, 64 kbit/s at 24 kHz: frames of 192 bytes.
  const low = [0xff, 0xf3, 0x84, 0, ...zeros(188)];
  assert.equal(codedRate(bytesOf(low, low).buffer), 24000);
  assert.equal(codedRate(bytesOf("anything else").buffer), null);
  assert.equal(codedRate(new ArrayBuffer(0)), null);
});
