/** The model itself, run by LiteRT.js on the processor: in threads where the page is isolated. */

import { loadAndCompile, loadLiteRt, supportsFeature, Tensor } from "@litertjs/core";

import { InputError } from "./errors.js";
import { widened } from "./float16.js";

const THREADED = "litert_wasm_threaded_internal.js";
const MOST_THREADS = 4;

let runtime = null; // a promise of LiteRT

/**
 * Load LiteRT, once, which can be done while there is no model yet.
 *
 * @param {string} folder address of LiteRT's .js and .wasm files
 * @param {number} mostThreads
 * @returns {Promise<number>} the number of threads
 */
export function loadRuntime(folder, mostThreads = MOST_THREADS) {
  const count = Math.min(mostThreads, navigator.hardwareConcurrency);
  runtime ??= startRuntime(folder, count).then(() => count);
  return runtime;
}

/**
 * Load a model that separates chunks.
 *
 * @param {Uint8Array} content of its file
 * @param {object} metadata of its file
 * @param {string} name what to call it in an error
 * @param {string} folder address of LiteRT's .js and .wasm files
 * @returns {Promise<(input: Float32Array) => Promise<Float32Array>>} as `separate` in chunks.js
 *   takes it
 */
export async function load(content, metadata, name, folder) {
  const { channels, chunk } = metadata;
  const model = await compiled(content, name, folder, ["separate"], MOST_THREADS);
  checkTensors(model.signatures.separate, metadata, name);
  return async (input) => {
    const { sources } = await run(model, "separate", { mixture: [input, [1, chunk, channels]] });
    checkFinite(sources, name);
    return sources;
  };
}

/**
 * Load a model that separates a stream.
 *
 * @returns {Promise<{start: () => Promise<Float32Array>, step: Function}>} `start` gives a state;
 *   `step(input, state)` gives `{sources, state}` for as many samples as the metadata's `step`
 */
export async function loadStream(content, metadata, name, folder) {
  const { channels, timing } = metadata;
  const model = await compiled(content, name, folder, ["reset", "step"], 1);
  return {
    start: async () => (await run(model, "reset", {})).state,
    step: async (input, state) => {
      const tensors = { mixture: [input, [1, timing.step, channels]], state: [state, [1, state.length]] };
      const result = await run(model, "step", tensors);
      checkFinite(result.sources, name);
      return result;
    },
  };
}

/** Run a signature on arrays and their shapes; return arrays. */
async function run(model, signature, inputs) {
  const tensors = Object.entries(inputs).map(([key, [values, shape]]) => [key, new Tensor(values, shape)]);
  const outputs = await model.run(signature, Object.fromEntries(tensors));
  const result = {};
  for (const [key, tensor] of Object.entries(outputs)) {
    result[key] = await tensor.data();
    tensor.delete();
  }
  tensors.forEach(([, tensor]) => tensor.delete());
  return result;
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
  for (let i = 0; i < samples.length; i++) {
    if (!Number.isFinite(samples[i])) {
      throw new InputError(`${name} computes values that are not finite numbers: export it again.`);
    }
  }
}

async function compiled(content, name, folder, signatures, mostThreads) {
  const count = await loadRuntime(folder, mostThreads);
  let reason = `it has no signature "${signatures[0]}"`;
  try {
    const model = await loadAndCompile(widened(content), {
      accelerator: "wasm",
      cpuOptions: { numThreads: count },
    });
    if (signatures.every((signature) => model.signatures[signature])) return model;
  } catch (error) {
    reason = String(error.message ?? error).split("\n")[0];
  }
  throw new InputError(`${name} cannot be loaded (${reason}): export it again.`);
}

/** Threads share memory, which browsers allow to pages that are isolated from others. */
async function startRuntime(folder, count) {
  const isolated = self.crossOriginIsolated && count > 1;
  const threads = isolated && (await supportsFeature("relaxedSimd"));
  // LiteRT looks beside the running script, which for this worker lies in memory.
  // Its log would go to the console as errors.
  self.Module = { locateFile: (file) => folder + file, printErr: (line) => console.debug(line) };
  const script = `importScripts(${JSON.stringify(folder + THREADED)})`;
  if (threads) self.Module.mainScriptUrlOrBlob = new Blob([script], { type: "text/javascript" });
  try {
    await loadLiteRt(folder, { threads });
  } catch (error) {
    console.warn(error);
    throw new InputError("The page cannot load its own files: check your connection, and reload the page.");
  }
}
