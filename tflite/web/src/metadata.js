/** What a .tflite file says about itself, in JSON under its metadata key "kerasep". */

import { outOfBounds, roundedOverlap } from "./bounds.js";
import { InputError } from "./errors.js";
import { Table } from "./flatbuffer.js";
import { parse } from "./strict_json.js";

export const FORMAT = 2;
const MODE = "separate"; // all that files of format 1 have
const LIVE = "streaming";
const KEY = "kerasep";
// Fields of the tables Model, Metadata and Buffer in TFLite's schema.
const MODEL = { operatorCodes: 1, buffers: 4, metadata: 6 };
const OPERATOR_CODE = { builtin: 0 };
const METADATA = { name: 0, buffer: 1 };
const BUFFER = { data: 0, offset: 1, size: 2 };

/**
 * Read the metadata of a model, and refuse what is no whole TFLite file from kerasep.
 *
 * @param {ArrayBuffer} content the file
 * @param {string} name what to call it in an error
 * @returns {object} sources, sample_rate, channels, chunk, overlap, hop, interchangeable, licence, ...; of
 *   a file for streams `live` is true, and it has `timing` and `latency` instead of chunks
 */
export function parseMetadata(content, name) {
  const bytes = new Uint8Array(content);
  if (new TextDecoder().decode(bytes.subarray(4, 8)) !== "TFL3") {
    throw new InputError(
      `${name} is not a TFLite file: choose one that kerasep export or kerasep.tflite.export wrote.`,
    );
  }
  const metadata = found(content, name);
  const { format } = metadata ?? {};
  if (!Number.isInteger(format) || format < 1) throw damaged(name);
  if (format > FORMAT) {
    throw new InputError(
      `${name} was written by kerasep ${short(metadata.kerasep)} in a newer format ` +
        `(${format}, this page reads ${FORMAT}): use a newer page.`,
    );
  }
  const { mode = metadata.timing ? "streaming" : MODE } = metadata;
  if (mode !== MODE && mode !== LIVE) {
    throw new InputError(`${name} was exported in mode "${short(mode)}": export it again in mode "${MODE}".`);
  }
  const wrong = outOfBounds(metadata, mode === LIVE);
  if (wrong) throw damaged(name, ` (its ${wrong} cannot be used)`);
  if (mode === LIVE) return { licence: null, ...metadata, live: true };
  const { overlap, hop } = metadata;
  return { interchangeable: false, licence: null, ...metadata, overlap: roundedOverlap(overlap, hop) };
}

function found(content, name) {
  try {
    const model = Table.root(new DataView(content));
    const buffers = model.tables(MODEL.buffers);
    checkWhole(model, content.byteLength);
    for (const entry of model.tables(MODEL.metadata)) {
      if (entry.string(METADATA.name) === KEY) {
        return parse(buffers[entry.uint32(METADATA.buffer)].bytes(BUFFER.data));
      }
    }
  } catch (error) {
    if (error instanceof RangeError || error instanceof SyntaxError || error instanceof TypeError) {
      throw damaged(name);
    }
    throw error;
  }
  throw new InputError(
    `${name} is a TFLite file, but not one of kerasep's: choose one that kerasep export wrote.`,
  );
}

/** Throw a RangeError where anything that may lie at the file's end is beyond it: it was cut short. */
function checkWhole(model, size) {
  for (const buffer of model.tables(MODEL.buffers)) {
    buffer.bytes(BUFFER.data);
    // Large files keep the data behind the tables.
    const offset = buffer.uint64(BUFFER.offset);
    if (offset > 1 && offset + buffer.uint64(BUFFER.size) > size) throw new RangeError("cut short");
  }
  // Files are written from the end to the beginning, and these first.
  for (const code of model.tables(MODEL.operatorCodes)) code.uint8(OPERATOR_CODE.builtin);
}

/** What a file says, in a sentence. */
function short(value) {
  return String(value).replace(/\p{C}/gu, " ").slice(0, 40);
}

function damaged(name, why = "") {
  return new InputError(`${name} is damaged or incomplete${why}: download or export it again.`);
}
