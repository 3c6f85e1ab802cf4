/**
 * float16 weights -> float32, before a model is compiled.
 *
 * In WebAssembly, LiteRT converts them again for every chunk, and computes with kernels that are
 * several times slower, because weights that are converted count as no constants.
 */

import { Table } from "./flatbuffer.js";

// Fields of the tables in TFLite's schema.
const MODEL = { operatorCodes: 1, subgraphs: 2, buffers: 4 };
const SUBGRAPH = { tensors: 0, outputs: 2, operators: 3 };
const TENSOR = { type: 1, buffer: 2 };
const OPERATOR_CODE = { byte: 0, builtin: 3 }; // files have one of them, or both
const OPERATOR = { code: 0, inputs: 1, outputs: 2 };
const BUFFER = { data: 0 };
const DEQUANTIZE = 6;
const [FLOAT32, FLOAT16] = [0, 1];
const ALIGNMENT = 16; // of a buffer's data

/**
 * Replace float16 constants, and the operations that convert them.
 *
 * @param {Uint8Array} content a .tflite file, not changed
 * @returns {Uint8Array} a .tflite file that computes the same
 */
export function widened(content) {
  const view = new DataView(content.slice().buffer);
  const model = Table.root(view);
  const codes = model
    .tables(MODEL.operatorCodes)
    .map((code) => Math.max(code.uint8(OPERATOR_CODE.byte), code.uint32(OPERATOR_CODE.builtin)));
  const buffers = model.tables(MODEL.buffers);
  const wide = new Set();
  for (const subgraph of model.tables(MODEL.subgraphs)) {
    for (const number of widenSubgraph(subgraph, codes, buffers)) wide.add(number);
  }
  return appended(view, [...wide].map((number) => buffers[number]));
}

/** Take the conversions out of one subgraph; return the numbers of the buffers that become float32. */
function widenSubgraph(subgraph, codes, buffers) {
  const { view } = subgraph;
  const tensors = subgraph.tables(SUBGRAPH.tensors);
  const operators = subgraph.tables(SUBGRAPH.operators);
  const half = (index) => {
    const tensor = tensors[index];
    return tensor?.uint8(TENSOR.type) === FLOAT16 && buffers[tensor.uint32(TENSOR.buffer)].at(BUFFER.data) > 0;
  };
  const converts = (operator) => codes[operator.uint32(OPERATOR.code)] === DEQUANTIZE;
  const inputs = operators.map((operator) => operator.vector(OPERATOR.inputs));
  const item = ({ start }, index) => view.getInt32(start + 4 * index, true);
  const items = (vector) => Array.from({ length: vector.length }, (_, index) => item(vector, index));
  // Constants that something else takes as they are stay as they are.
  const kept = new Set(operators.flatMap((operator, n) => (converts(operator) ? [] : items(inputs[n]))));
  const constant = new Map(); // the tensor that a conversion gives -> its float16 constant
  const left = operators.filter((operator, n) => {
    if (!converts(operator)) return true;
    const from = item(inputs[n], 0);
    if (!half(from) || kept.has(from)) return true;
    constant.set(item(operator.vector(OPERATOR.outputs), 0), from);
    return false;
  });
  for (const vector of [...inputs, subgraph.vector(SUBGRAPH.outputs)]) {
    items(vector).forEach((tensor, index) => {
      if (constant.has(tensor)) view.setInt32(vector.start + 4 * index, constant.get(tensor), true);
    });
  }
  const { start } = subgraph.vector(SUBGRAPH.operators);
  left.forEach(({ position }, n) => view.setUint32(start + 4 * n, position - (start + 4 * n), true));
  if (operators.length) view.setUint32(start - 4, left.length, true);
  const numbers = new Set();
  for (const index of constant.values()) {
    view.setUint8(tensors[index].at(TENSOR.type), FLOAT32);
    numbers.add(tensors[index].uint32(TENSOR.buffer));
  }
  return numbers;
}

/** The file with the data of `buffers` as float32 behind it, where the buffers now point. */
function appended(view, buffers) {
  const halves = buffers.map((buffer) => buffer.bytes(BUFFER.data));
  const aligned = (size) => Math.ceil(size / ALIGNMENT) * ALIGNMENT;
  const size = halves.reduce((sum, { length }) => aligned(sum) + ALIGNMENT + 2 * length, view.byteLength);
  const result = new Uint8Array(size);
  result.set(new Uint8Array(view.buffer));
  const target = new DataView(result.buffer);
  const values = buffers.length ? allHalves() : null;
  let end = view.byteLength;
  halves.forEach((bytes, n) => {
    const data = aligned(end) + ALIGNMENT;
    const field = buffers[n].at(BUFFER.data);
    target.setUint32(field, data - 4 - field, true);
    target.setUint32(data - 4, 2 * bytes.length, true);
    const from = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const floats = new Float32Array(result.buffer, data, bytes.length / 2);
    for (let i = 0; i < floats.length; i++) floats[i] = values[from.getUint16(2 * i, true)];
    end = data + 2 * bytes.length;
  });
  return result;
}

/** The values of all 65536 float16 numbers. */
function allHalves() {
  return Float32Array.from({ length: 65536 }, (_, bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return exponent ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024) : sign * 2 ** -24 * fraction;
  });
}
