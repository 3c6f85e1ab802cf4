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
export async function load(content, { channels, chunk }, name, folder) {
  // LiteRT looks beside the running script, which for this worker lies in memory.
  self.Module = { locateFile: (file) => folder + file };
  // Threads need cross-origin isolation, and hang in a worker.
  await loadLiteRt(folder, { threads: false });
  const model = await compiled(content, name);
  return async (input) => {
    const mixture = new Tensor(input, [1, chunk, channels]);
    const { sources } = await model.run(SIGNATURE, { mixture });
    const output = await sources.data();
    mixture.delete();
    sources.delete();
    return output;
  };
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
