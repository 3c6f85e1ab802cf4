/**
 * Recordings of any length and channel count through a model of fixed ones.
 *
 * The same cuts and the same fades, in the same arithmetic, as kerasep.separation.recordings in Python.
 */

import { bestOrder } from "./order.js";

/**
 * Say where the chunks of a recording lie.
 *
 * @param {number} samples length of the recording
 * @param {{chunk: number, overlap: number, hop: number}} model in samples, as its file says
 * @returns {{start: number, length: number, early: number}[]} `early`: how many samples before
 *   `start` the chunk begins, so that the last one is whole where the recording is that long
 */
export function plan(samples, { chunk, overlap, hop }) {
  const step = chunk - overlap;
  const pieces = [];
  let start = 0;
  for (; samples - start > chunk; start += step) pieces.push({ start, length: chunk, early: 0 });
  const left = samples - start;
  const early = start ? Math.floor((chunk - left) / hop) * hop : 0;
  pieces.push({ start, length: left + early, early });
  return pieces;
}

/**
 * Separate a recording chunk by chunk.
 *
 * @param {Float32Array[]} recording one array a channel
 * @param {object} model metadata of its file
 * @param {(input: Float32Array) => Promise<Float32Array>} run the model: `(chunk, channels)` to
 *   `(chunk, channels, sources)`, both flat
 * @param {(share: number, seconds: number) => void} progress called after every chunk with the share that
 *   is done, 0 to 1, and the seconds that the chunk took
 * @returns {Promise<Float32Array[][]>} [source][channel], each as long as the recording
 */
export async function separate(recording, model, run, progress = () => {}) {
  const samples = recording[0].length;
  const stems = model.sources.map(() => recording.map(() => new Float32Array(samples)));
  for (const { start, length, early } of plan(samples, model)) {
    const begin = start - early;
    const piece = recording.map((channel) => channel.subarray(begin, begin + length));
    const begun = performance.now();
    const result = await separateChunk(piece, model, run);
    join(stems, result, start, early, model);
    await progress((begin + length) / samples, (performance.now() - begun) / 1000);
  }
  return stems;
}

/** Separate one chunk of any channel count, in groups of as many channels as the model takes. */
async function separateChunk(piece, model, run) {
  const { channels, sources } = model;
  const result = sources.map(() => []);
  let first = null;
  for (let group = 0; group < piece.length; group += channels) {
    const output = await run(interleaved(piece, group, model));
    first ??= output;
    const order = model.interchangeable && group ? bestOrder(flatProducts(first, output, sources.length)) : null;
    for (let channel = 0; channel < Math.min(channels, piece.length - group); channel++) {
      sources.forEach((_, source) => {
        const taken = order ? order[source] : source;
        const stem = new Float32Array(piece[0].length);
        let from = channel * sources.length + taken;
        for (let i = 0; i < stem.length; i++, from += channels * sources.length) stem[i] = output[from];
        result[source].push(stem);
      });
    }
  }
  return result;
}

/** Fill a model's input: short chunks up with themselves, groups with the last channel. */
function interleaved(piece, group, { chunk, channels }) {
  const input = new Float32Array(chunk * channels);
  for (let channel = 0; channel < channels; channel++) {
    const from = piece[Math.min(group + channel, piece.length - 1)];
    for (let i = 0; i < chunk; i++) input[i * channels + channel] = from[i % from.length];
  }
  return input;
}

/**
 * Write a chunk's result behind what is there.
 *
 * Of the overlap, the outer quarters come from the chunk that has them further inside; over the
 * middle half, the two are faded into each other.
 */
function join(stems, result, start, early, { overlap, interchangeable }) {
  const first = Math.floor(overlap / 4);
  const last = overlap - first;
  const order = interchangeable && start ? bestOrder(overlapProducts(stems, result, start, early, overlap)) : null;
  stems.forEach((stem, source) => {
    stem.forEach((whole, channel) => {
      const part = result[order ? order[source] : source][channel].subarray(early);
      if (!start) return whole.set(part);
      for (let i = first; i < last; i++) {
        const before = whole[start + i];
        const weight = Math.fround(Math.fround(i - first + 0.5) / (last - first));
        whole[start + i] = before + Math.fround(Math.fround(part[i] - before) * weight);
      }
      whole.set(part.subarray(last), start + last);
    });
  });
}

function overlapProducts(stems, result, start, early, overlap) {
  return stems.map((stem) =>
    result.map((estimate) =>
      stem.reduce((sum, whole, channel) => {
        for (let i = 0; i < overlap; i++) sum += whole[start + i] * estimate[channel][early + i];
        return sum;
      }, 0),
    ),
  );
}

/** Products of two flat outputs `(chunk, channels, sources)`. */
function flatProducts(reference, estimate, sources) {
  const products = Array.from({ length: sources }, () => new Array(sources).fill(0));
  for (let i = 0; i < reference.length; i += sources) {
    for (let r = 0; r < sources; r++) {
      for (let e = 0; e < sources; e++) products[r][e] += reference[i + r] * estimate[i + e];
    }
  }
  return products;
}
