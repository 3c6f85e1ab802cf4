import assert from "node:assert/strict";
import { test } from "node:test";

import { fft } from "../src/fft.js";
import { peaks } from "../src/peaks.js";
import { loudest } from "../src/pictures.js";
import { spectrogram } from "../src/spectra.js";

test("the transform is the sum that defines it", () => {
  const input = Array.from({ length: 16 }, (_, index) => Math.sin(index * index));
  const [real, imaginary] = [Float64Array.from(input), new Float64Array(16)];
  fft(real, imaginary);
  for (let bin = 0; bin < 16; bin++) {
    const angle = (index) => (-2 * Math.PI * bin * index) / 16;
    const sum = (part) => input.reduce((total, x, index) => total + x * part(angle(index)), 0);
    assert.ok(Math.abs(real[bin] - sum(Math.cos)) < 1e-12);
    assert.ok(Math.abs(imaginary[bin] - sum(Math.sin)) < 1e-12);
  }
});

test("a full-scale tone is brightest in its row, and silence is black", () => {
  const tone = Float32Array.from({ length: 16000 }, (_, i) => (i < 8000 ? Math.sin((2 * Math.PI * 1000 * i) / 16000) : 0));
  const [columns, rows] = [10, 48];
  const levels = spectrogram(tone, 16000, columns, rows);
  const column = (index) => Array.from({ length: rows }, (_, row) => levels[row * columns + index]);
  // 40 Hz to 8000 Hz, evenly in octaves.
  const row = Math.floor((rows * Math.log2(8000 / 1000)) / Math.log2(8000 / 40));
  assert.ok(column(2)[row] >= 254);
  assert.equal(Math.max(...column(2)), Math.max(column(2)[row - 1], column(2)[row]));
  assert.deepEqual(column(8), new Array(rows).fill(0));
});

test("peaks are the extremes of all channels", () => {
  const found = peaks([Float32Array.of(0, 1, 2, 3), Float32Array.of(-1, 0, 0, 5)], 2);
  assert.deepEqual(found, Float32Array.of(-1, 1, 0, 5));
  assert.deepEqual(peaks([Float32Array.of(0.5)], 2), Float32Array.of(0.5, 0.5, 0.5, 0.5));
});

test("pictures beside each other share a scale", () => {
  const pictures = [
    { peaks: Float32Array.of(-0.5, 0.25), levels: Uint8Array.of(3, 9) },
    { peaks: Float32Array.of(0, 0.125), levels: Uint8Array.of(200, 0) },
  ];
  assert.equal(loudest(pictures, "waveform"), 0.5);
  assert.equal(loudest(pictures, "spectrogram"), 200);
});
