import assert from "node:assert/strict";
import { test } from "node:test";

import { wav } from "../src/wav.js";

const text = (view, start) => String.fromCharCode(...new Uint8Array(view.buffer, start, 4));

test("16 bits are rounded, and clipped at full scale", () => {
  const view = new DataView(wav([Float32Array.of(0, 0.5, 1, -1), Float32Array.of(2, -2, 1 / 32768, 0)], 44100, 16));
  assert.deepEqual([text(view, 0), text(view, 8), text(view, 36)], ["RIFF", "WAVE", "data"]);
  assert.equal(view.getUint32(4, true), view.byteLength - 8);
  assert.deepEqual([20, 22, 32, 34].map((at) => view.getUint16(at, true)), [1, 2, 4, 16]);
  assert.equal(view.getUint32(24, true), 44100);
  assert.equal(view.getUint32(28, true), 44100 * 4);
  assert.equal(view.getUint32(40, true), 16);
  const samples = Array.from({ length: 8 }, (_, index) => view.getInt16(44 + 2 * index, true));
  assert.deepEqual(samples, [0, 32767, 16384, -32768, 32767, 1, -32768, 0]);
});

test("32 bits are as they were", () => {
  const samples = Float32Array.from({ length: 100 }, (_, index) => 3 * Math.sin(index));
  const view = new DataView(wav([samples], 8000, 32));
  assert.equal(view.getUint16(20, true), 3);
  assert.deepEqual([text(view, 38), text(view, 50)], ["fact", "data"]);
  assert.equal(view.getUint32(4, true), view.byteLength - 8);
  assert.deepEqual(Float32Array.from(samples, (_, index) => view.getFloat32(58 + 4 * index, true)), samples);
});
