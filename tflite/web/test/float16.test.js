import assert from "node:assert/strict";
import { test } from "node:test";

import { widened } from "../src/float16.js";
import { Table } from "../src/flatbuffer.js";
import { bytes, missing } from "./support/fixtures.js";

/** Names of the fields in TFLite's schema, by their numbers. */
const [CODES, SUBGRAPHS, TENSORS, OPERATORS, TYPE] = [1, 2, 0, 3, 1];
const [DEQUANTIZE, FLOAT16] = [6, 1];

function count(content) {
  const copy = content.slice();
  const model = Table.root(new DataView(copy.buffer));
  const codes = model.tables(CODES).map((code) => Math.max(code.uint8(0), code.uint32(3)));
  const subgraphs = model.tables(SUBGRAPHS);
  const operators = subgraphs.flatMap((subgraph) => subgraph.tables(OPERATORS));
  const tensors = subgraphs.flatMap((subgraph) => subgraph.tables(TENSORS));
  return {
    operators: operators.length,
    conversions: operators.filter((operator) => codes[operator.uint32(0)] === DEQUANTIZE).length,
    halves: tensors.filter((tensor) => tensor.uint8(TYPE) === FLOAT16).length,
  };
}

test("float16 weights and their conversions are gone, all else stays", { skip: missing }, () => {
  const content = new Uint8Array(bytes("half.tflite"));
  const before = count(content);
  assert.ok(before.conversions > 5 && before.halves >= before.conversions, JSON.stringify(before));
  const after = count(widened(content));
  assert.deepEqual(after, { operators: before.operators - before.conversions, conversions: 0, halves: 0 });
});

test("a file without float16 weights stays as it is", { skip: missing }, () => {
  const content = new Uint8Array(bytes("stereo.tflite"));
  assert.deepEqual(widened(content), content);
});
