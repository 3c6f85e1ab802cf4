/** What metadata may say: the same cases as for Python, the C code and Kotlin. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { outOfBounds } from "../src/bounds.js";
import { checkFinite, checkTensors } from "../src/engine.js";
import { InputError } from "../src/errors.js";
import { parseMetadata } from "../src/metadata.js";
import { parse } from "../src/strict_json.js";

const cases = JSON.parse(readFileSync(new URL("../../../tests/tflite/metadata_cases.json", import.meta.url)));
const about = {
  ...{ format: 2, kerasep: "0.1.0", model: "Tiny", sources: ["same", "square"], sample_rate: 8000 },
  ...{ channels: 1, chunk: 400, overlap: 100, hop: 2, latency: null, stft: null, interchangeable: true },
};

/** A TFLite file with nothing but metadata, table after table. */
function fileWith(json) {
  const text = Buffer.from(json);
  const bytes = Buffer.alloc(108 + text.length);
  const at = {
    ...{ fields: 8, model: 28, buffers: 40, entries: 48, entryFields: 56, entry: 64, name: 76 },
    ...{ bufferFields: 88, buffer: 96, data: 104 },
  };
  const half = (place, ...values) => values.forEach((value, index) => bytes.writeUInt16LE(value, place + 2 * index));
  const word = (place, ...values) => values.forEach((value, index) => bytes.writeInt32LE(value, place + 4 * index));
  word(0, at.model);
  bytes.write("TFL3", 4);
  half(at.fields, 18, 12, 0, 0, 0, 0, 4, 0, 8);
  word(at.model, at.model - at.fields, at.buffers - at.model - 4, at.entries - at.model - 8);
  word(at.buffers, 1, at.buffer - at.buffers - 4);
  word(at.entries, 1, at.entry - at.entries - 4);
  half(at.entryFields, 8, 12, 4, 8);
  word(at.entry, at.entry - at.entryFields, at.name - at.entry - 4, 0);
  word(at.name, 7);
  bytes.write("kerasep", at.name + 4);
  half(at.bufferFields, 6, 8, 4);
  word(at.buffer, at.buffer - at.bufferFields, at.data - at.buffer - 4);
  word(at.data, text.length);
  text.copy(bytes, at.data + 4);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
}

const read = (json) => parseMetadata(fileWith(json), "lying.tflite");

function refused(json, what) {
  try {
    read(json);
  } catch (error) {
    assert.ok(error instanceof InputError, `${what}: ${error.stack}`);
    assert.match(error.message, /^lying\.tflite \P{C}*\.$/u, what);
    return;
  }
  assert.fail(`${what}: not refused`);
}

const json = JSON.stringify(about);

test("what is out of bounds is refused, what is within them is read", () => {
  assert.equal(read(json).chunk, 400);
  for (const [what, changes] of Object.entries(cases.refused)) refused(JSON.stringify({ ...about, ...changes }), what);
  for (const changes of Object.values(cases.accepted)) read(JSON.stringify({ ...about, ...changes }));
  for (const [what, text] of Object.entries(cases.refused_texts)) refused(text.replace("@", () => json.slice(1, -1)), what);
  for (const text of Object.values(cases.accepted_texts)) read(text.replace("@", () => json.slice(1, -1)));
});

test("keys that a file needs may not be missing", () => {
  for (const key of ["model", "sources", "sample_rate", "channels", "chunk", "overlap", "hop", "format"]) {
    refused(JSON.stringify({ ...about, [key]: undefined }), key);
  }
  assert.equal(outOfBounds({ ...about, latency: undefined, stft: undefined }), null);
});

test("more orders than can be tried are refused", () => {
  refused(JSON.stringify({ ...about, sources: [..."abcdefghi"] }), "nine sources");
  read(JSON.stringify({ ...about, sources: [..."abcdefgh"] }));
});

test("bytes that are no UTF-8, and too many, are refused", () => {
  for (const bytes of [[0x22, 0xff, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22]]) {
    assert.throws(() => parse(Uint8Array.from(bytes)), TypeError);
  }
  assert.throws(() => parse(new Uint8Array(2 ** 20 + 1).fill(0x20)), RangeError);
  assert.throws(() => parse(new TextEncoder().encode("[".repeat(1e6))), (error) => error instanceof Error);
});

test("an overlap is whole hops, as everywhere", () => {
  assert.equal(read(JSON.stringify({ ...about, hop: 8, overlap: 100 })).overlap, 104);
});

test("tensors that contradict the metadata are refused", () => {
  const details = (name, shape, dtype = "float32") => [{ name, shape: Int32Array.from(shape), dtype }];
  const signature = (input, output) => ({ getInputDetails: () => input, getOutputDetails: () => output });
  const [mixture, sources] = [details("mixture", [1, 400, 1]), details("sources", [1, 400, 1, 2])];
  checkTensors(signature(mixture, sources), about, "a.tflite");
  for (const [input, output] of [
    [details("mixture", [1, 402, 1]), sources],
    [details("mixture", [1, 400, 2]), sources],
    [details("mixture", [400, 1]), sources],
    [details("mixture", [1, 400, 1], "int32"), sources],
    [details("x", [1, 400, 1]), sources],
    [[...mixture, ...mixture], sources],
    [[], sources],
    [mixture, details("sources", [1, 400, 1, 3])],
  ]) {
    assert.throws(() => checkTensors(signature(input, output), about, "a.tflite"), {
      name: "InputError",
      message: /^a\.tflite is damaged \(its tensor (mixture|sources) is not as its metadata says\): export it again\.$/,
    });
  }
});

test("samples that are not finite are refused", () => {
  checkFinite(Float32Array.of(0, 1), "a.tflite");
  for (const value of [NaN, Infinity]) {
    assert.throws(() => checkFinite(Float32Array.of(0, value), "a.tflite"), /^InputError: a.tflite computes/);
  }
});
