/** The model itself, run by LiteRT.js on the processor. */

import { loadAndCompile, loadLiteRt, Tensor } from "@litertjs/core";

import { InputError } from "./errors.js";

const SIGNATURE = "separate";

/**
 * Load a model.
 *
 * @param {Uint8Array} content of its file
 * @param {object} metadata of its file
 * @param {string} name what to call it in an error
 * @param {string} folder address of LiteRT's .js and .wasm files
 * @returns {Promise<(input: Float32Array) => Promise<Float32Array>>} as `separate` in chunks.js
 *   takes it
 */
export async function load(content, metadata, name, folder) {
  // LiteRT looks beside the running script, which for this worker lies in memory.
  self.Module = { locateFile: (file) => folder + file };
  // Threads need cross-origin isolation, and hang in a worker.
  await loadLiteRt(folder, { threads: false });
  const { channels, chunk } = metadata;
  const model = await compiled(content, name);
  checkTensors(model.signatures[SIGNATURE], metadata, name);
  return async (input) => {
    const mixture = new Tensor(input, [1, chunk, channels]);
    const { sources } = await model.run(SIGNATURE, { mixture });
    const output = await sources.data();
    mixture.delete();
    sources.delete();
    checkFinite(output, name);
    return output;
  };
}

/**
 * Refuse a model whose tensors are not as its metadata says.
 *
 * @param {object} signature LiteRT's
 * @param {object} metadata of its file
 * @param {string} name what to call it in an error
 */
export function checkTensors(signature, { channels, chunk, sources }, name) {
  const mixture = [1, chunk, channels];
  for (const [details, key, shape] of [
    [signature.getInputDetails(), "mixture", mixture],
    [signature.getOutputDetails(), "sources", [...mixture, sources.length]],
  ]) {
    const [tensor] = details;
    const agrees =
      details.length === 1 &&
      tensor.name === key &&
      tensor.dtype === "float32" &&
      String(Array.from(tensor.shape)) === String(shape);
    if (!agrees) {
      throw new InputError(`${name} is damaged (its tensor ${key} is not as its metadata says): export it again.`);
    }
  }
}

/** Refuse samples that are not finite: weights may be so. */
export function checkFinite(samples, name) {
  if (!samples.every(Number.isFinite)) {
    throw new InputError(`${name} computes values that are not finite numbers: export it again.`);
  }
}

async function compiled(content, name) {
  let reason = `it has no signature "${SIGNATURE}"`;
  try {
    const model = await loadAndCompile(content, { accelerator: "wasm" });
    if (model.signatures[SIGNATURE]) return model;
  } catch (error) {
    reason = String(error.message ?? error).split("\n")[0];
  }
  throw new InputError(`${name} cannot be loaded (${reason}): export it again.`);
}
